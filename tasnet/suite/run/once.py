"""A stage's outcome, worked out by one process while others wait for it, and kept if it taught something."""

from __future__ import annotations

import time
from collections.abc import Callable

from tasnet.common import named_error_line
from tasnet.suite.cases import Outcome, Provenance, Stage, Status
from tasnet.suite.run.store import Store


def once(store: Store, key: str, provenance: Provenance, stage: Stage, work: Callable[[], Outcome]) -> Outcome:
    """The outcome under `key`, from the store or by `work`. Trouble of the machine is an `infra` outcome, not kept."""
    if found := _kept(store, key):
        return found
    with store.lock(key):
        if found := _kept(store, key):
            return found
        started = time.perf_counter()
        try:
            outcome = work()
            outcome = outcome.model_copy(update={"seconds": time.perf_counter() - started})
            store.put_outcome(key, outcome)
        except (OSError, MemoryError) as error:
            reason = named_error_line(error)
        except RuntimeError as error:
            # torch's allocator reports an exhausted memory as a plain RuntimeError
            if "allocate memory" not in str(error) and "not enough memory" not in str(error):
                raise
            reason = named_error_line(error)
        else:
            return outcome
        spent = time.perf_counter() - started
        return Outcome(stage=stage, status=Status.INFRA, provenance=provenance, reason=reason, seconds=spent)


def _kept(store: Store, key: str) -> Outcome | None:
    outcome = store.outcome(key)
    if outcome and outcome.artifact and not store.holds(outcome.artifact):
        return None
    return outcome
