"""What the embedded toolchain's verdicts rest on in a store: the public record, moved by the store's evidence.

It is worked out from the evidence, and noted under the names of the evidence's files, which are those of their
contents: where one comes or goes, the note is another. A store without evidence has the public record.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasnet.common import Notify, notify_on_stderr, source_digest
from tasnet.hailo import TOOLCHAINS
from tasnet.hailo.predict import PUBLIC_RECORD, Bracket, Observations
from tasnet.suite.run import Recipe, Store, ToolchainOptions, content_key, open_pipeline

if TYPE_CHECKING:
    from tasnet.hailo.predict import Reference
    from tasnet.suite.run import Pipeline

_ROOMS = ("common", "hailo/*", "hailo/files", "hailo/translate", "hailo/predict", "network", "plan", "suite/cases")
"""whose code reads the graphs of what was observed, beside this room's and the evidence's"""


def open_informed_pipeline(
    root: Path, options: ToolchainOptions, recipe: Recipe, *, notify: Notify = notify_on_stderr
) -> Pipeline:
    """`open_pipeline`, the embedded toolchain with all that the store's evidence says. Raises what that raises."""
    embedded = embedded_toolchain(Store(root, notify), options.arch) if options.name == TOOLCHAINS[0] else None
    return open_pipeline(root, options, recipe, toolchain=embedded, notify=notify)


def embedded_toolchain(store: Store, arch: str) -> Reference:
    """The embedded toolchain, with all that the store's evidence says of an architecture. Raises StoreError."""
    # Only now, as below: numpy is loaded with it.
    from tasnet.hailo.predict import Reference

    return Reference(known_observations(store, arch))


def known_observations(store: Store, arch: str) -> Observations:
    """The public record, and what the store's evidence adds to it. Raises StoreError."""
    files = sorted(
        path.relative_to(store.root).as_posix()
        for pattern in ("evidence/*/*.json", "replies/*.json")
        for path in store.root.glob(pattern)
    )
    if not files:
        return PUBLIC_RECORD
    rooms = source_digest(*_ROOMS, "suite/observed", "suite/ask")
    key = content_key({"what": "observations", "files": files, "arch": arch, "sources": rooms})
    noted = store.note(key)
    if noted is None:
        # Only now: whoever asks again needs no graph.
        from tasnet.suite.ask.replies import stored_replies

        noted = _json(stored_replies(store, arch).observations)
        store.put_note(key, noted)
    return _read(noted)


def _json(known: Observations) -> dict[str, Any]:
    from tasnet.hailo.predict import Demands, demands_json

    return {
        "bracket": [known.bracket.passes, known.bracket.fails],
        "compiled": demands_json(Demands(known.compiled, len(known.compiled))),
        "failed": [[family, demands_json(Demands((layer,), 1))] for family, layer in known.failed],
    }


def _read(noted: dict[str, Any]) -> Observations:
    from tasnet.hailo.predict import demands_from_json

    failed = [(family, layer) for family, one in noted["failed"] for layer in demands_from_json(one).layers]
    return Observations(Bracket(*noted["bracket"]), demands_from_json(noted["compiled"]).layers, tuple(failed))
