"""Exports the graphs of the code in a folder: `python driver.py ROOT IN OUT`, two numbers of open descriptors.

The request is read from IN to its end; the answers are written to OUT, a JSON object a line, apart from what the code
prints to stdout.

It runs with that folder's own tasnet, which is older or newer than this file: it uses as little of it as it can, and
answers with an error if that is missing. It imports the standard library and what is in ROOT, nothing of this package.

    request   {"profile", "arch", "store", "checkpoint", "weights"}
    answers   {"plans": [{PLAN_FIELDS}, …]} of the profile that has some, {"cases": [[id, graph], …]}, then
              {"graph", "artifact", "reason"} for each distinct graph, then {"done": true}; or {"error"} at any place,
              and the exit code 3
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PLANS = "plans"
"""the profile whose cases come from plans; a revision without it has no case of it"""
PLAN_FIELDS = (
    *("network", "name", "trouble", "hardware", "hefs", "invocations", "macs", "uncut_macs"),
    *("seconds", "null_seconds", "clip_seconds", "evidence"),
)


def main() -> int:
    """Answers the request."""
    root = Path(sys.argv[1]).resolve()
    # The folder of this file would come first, with this file's neighbours as modules.
    sys.path[0] = str(root)
    with os.fdopen(int(sys.argv[2]), encoding="utf-8") as request_file:
        request = json.load(request_file)
    out = os.fdopen(int(sys.argv[3]), "w", encoding="utf-8")
    try:
        for answer in _answers(root, request):
            print(json.dumps(answer), file=out, flush=True)
    except _UnusableRevision as error:
        print(json.dumps({"error": str(error)}), file=out, flush=True)
        return 3
    return 0


class _UnusableRevision(Exception):
    """The code in ROOT can't export graphs."""


def _answers(root: Path, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        import tasnet

        if tasnet.__file__ is None or not Path(tasnet.__file__).resolve().is_relative_to(root):
            raise _UnusableRevision("it has no tasnet package")
        reference = _import_first("tasnet.hailo.predict.reference:Reference", "tasnet.hailo.reference:Reference")
        graph_key = _import_first("tasnet.suite.cases.case:graph_key", "tasnet.suite.case:graph_key")
        profile = _import_first(
            "tasnet.suite.cases.profiles:profile_cases",
            "tasnet.suite.cases.profiles:profile",
            "tasnet.suite.case:profile",
        )
        export = _import_first("tasnet.suite.cases.outcome:Stage", "tasnet.suite.stage:Stage").EXPORT
        made = _import_first("tasnet.suite.run.pipeline:Pipeline", "tasnet.suite.pipeline:Pipeline")
        recipe_of = _import_first(
            "tasnet.suite.run.recipe:Recipe", "tasnet.suite.recipe:Recipe", "tasnet.suite.pipeline:Recipe"
        )
        open_store = _import_first("tasnet.suite.run.store:open_store", "tasnet.suite.store:open_store")

        checkpoint = request["checkpoint"]
        recipe = recipe_of(checkpoint=Path(checkpoint) if checkpoint else None, **request["weights"])
        pipeline = made(open_store(Path(request["store"])), reference(), recipe)
        if request["profile"] == PLANS:
            plans, cases = _planned(pipeline.store, request["arch"])
            yield {"plans": plans}
        else:
            cases = profile(request["profile"], request["arch"])
        graphs = {graph_key(case): case for case in reversed(cases)}
        yield {"cases": [[case.id, graph_key(case)] for case in cases]}
    except _UnusableRevision:
        raise
    except ImportError as error:
        if not (root / "tasnet" / "__init__.py").is_file():
            raise _UnusableRevision("it has no tasnet package") from None
        raise _UnusableRevision(f"its tasnet can't be used: {_one_line(error)}") from None
    except Exception as error:
        raise _UnusableRevision(f"its tasnet can't be used: {_one_line(error)}") from None
    for key, case in graphs.items():
        artifact = reason = ""
        try:
            outcome = pipeline.run(case, until=export)[export]
            artifact, reason = outcome.artifact, outcome.reason
            if not artifact:
                reason = "; ".join(failure.message for failure in outcome.failures) or reason or "no reason given"
        except Exception as error:
            # Whatever one graph raises is the answer about that graph.
            reason = _one_line(error)
        yield {"graph": key, "artifact": artifact, "reason": reason}
    yield {"done": True}


def _planned(store: Any, arch: str) -> tuple[list[dict[str, Any]], tuple[Any, ...]]:
    """The records of this revision's plans, and the cases that come from them; none of either in an older one."""
    try:
        cases_of = _import_first("tasnet.suite.run.plans:cases_of")
        plan_record = _import_first("tasnet.suite.run.plans:plan_record")
    except ImportError:
        return [], ()
    found = cases_of(PLANS, arch, store.root)
    records = [plan_record(store, each) for each in found.plans]
    return [{name: getattr(record, name) for name in PLAN_FIELDS} for record in records], found.cases


def _import_first(*places: str) -> Any:
    """The object at the first of the places, `module:name`, that this revision has. Raises ImportError."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            # Only if the module itself is missing: one that exists and can't import another is broken.
            if not f"{module}.".startswith(f"{error.name}."):
                raise
        except AttributeError:
            continue
    raise ImportError(f"it has no {places[0]}")


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


if __name__ == "__main__":
    sys.exit(main())
