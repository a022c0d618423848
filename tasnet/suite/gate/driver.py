"""Exports the graphs of the code in a folder: `python driver.py ROOT IN OUT`, two numbers of open descriptors.

The request is read from IN to its end; the answers are written to OUT, a JSON object a line. What the code prints goes
where its stdout does and breaks nothing.

Runs with that folder's own tasnet, of another day than this file: it asks for no more than it must, and says so where
that isn't there. No import of this package: only the standard library and what lies in ROOT.

    request   {"profile", "arch", "store", "checkpoint", "weights"}
    answers   {"cases": [[id, graph], …]}, then {"graph", "artifact", "reason"} for each distinct graph, then
              {"done": true}; or {"error"} at any place, and the exit code 3
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main() -> int:
    """Answers the request."""
    root = Path(sys.argv[1]).resolve()
    # The folder of this file stands first, and would offer its neighbours as modules.
    sys.path[0] = str(root)
    with os.fdopen(int(sys.argv[2]), encoding="utf-8") as asked:
        request = json.load(asked)
    out = os.fdopen(int(sys.argv[3]), "w", encoding="utf-8")
    try:
        for answer in _answers(root, request):
            print(json.dumps(answer), file=out, flush=True)
    except _Unfit as error:
        print(json.dumps({"error": str(error)}), file=out, flush=True)
        return 3
    return 0


class _Unfit(Exception):
    """What lies in ROOT can't be asked."""


def _answers(root: Path, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        import tasnet

        if tasnet.__file__ is None or not Path(tasnet.__file__).resolve().is_relative_to(root):
            raise _Unfit("it has no tasnet package")
        reference = _found("tasnet.hailo.predict.reference:Reference", "tasnet.hailo.reference:Reference")
        graph_key = _found("tasnet.suite.cases.case:graph_key", "tasnet.suite.case:graph_key")
        profile = _found(
            "tasnet.suite.cases.profiles:profile_cases",
            "tasnet.suite.cases.profiles:profile",
            "tasnet.suite.case:profile",
        )
        export = _found("tasnet.suite.cases.outcome:Stage", "tasnet.suite.stage:Stage").EXPORT
        made = _found("tasnet.suite.run.pipeline:Pipeline", "tasnet.suite.pipeline:Pipeline")
        recipe_of = _found(
            "tasnet.suite.run.recipe:Recipe", "tasnet.suite.recipe:Recipe", "tasnet.suite.pipeline:Recipe"
        )
        open_store = _found("tasnet.suite.run.store:open_store", "tasnet.suite.store:open_store")

        checkpoint = request["checkpoint"]
        recipe = recipe_of(checkpoint=Path(checkpoint) if checkpoint else None, **request["weights"])
        pipeline = made(open_store(Path(request["store"])), reference(), recipe)
        cases = profile(request["profile"], request["arch"])
        graphs = {graph_key(case): case for case in reversed(cases)}
        yield {"cases": [[case.id, graph_key(case)] for case in cases]}
    except _Unfit:
        raise
    except ImportError as error:
        if not (root / "tasnet" / "__init__.py").is_file():
            raise _Unfit("it has no tasnet package") from None
        raise _Unfit(f"its tasnet can't be used: {_one_line(error)}") from None
    except Exception as error:
        raise _Unfit(f"its tasnet can't be used: {_one_line(error)}") from None
    for key, case in graphs.items():
        artifact = reason = ""
        try:
            outcome = pipeline.run(case, until=export)[export]
            artifact, reason = outcome.artifact, outcome.reason
            if not artifact:
                reason = "; ".join(failure.message for failure in outcome.failures) or reason or "no reason given"
        except Exception as error:
            # A change that breaks one graph is an answer about that graph, whatever it raises.
            reason = _one_line(error)
        yield {"graph": key, "artifact": artifact, "reason": reason}
    yield {"done": True}


def _found(*places: str) -> Any:
    """What stands at the first of the places, `module:name`, that this revision has. Raises ImportError."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            # Only where the place is missing: a place that is there and can't load one of its own is broken.
            if not f"{module}.".startswith(f"{error.name}."):
                raise
        except AttributeError:
            continue
    raise ImportError(f"it has no {places[0]}")


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


if __name__ == "__main__":
    sys.exit(main())
