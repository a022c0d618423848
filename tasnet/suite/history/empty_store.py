"""What to say of a store without a run: whether it is that of a suite at all, and what to do."""

from __future__ import annotations

from pathlib import Path

from tasnet.suite.ledger import LEDGER_FILE, nearest_root


def no_runs(store: Path) -> str:
    """The line. A usual store (`.tasnet`) that lies in no root was looked for in a wrong folder, most likely."""
    if store.name == ".tasnet" and nearest_root(store.parent) is None:
        return (
            f"{store}: no run is stored there, and neither {store.parent} nor a folder above it has an {LEDGER_FILE}; "
            "stand in a suite's folder, name it with --root, or make one: tasnet init"
        )
    return f"{store}: no run is stored there; run tasnet matrix first, or name another --store"
