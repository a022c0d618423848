"""A HAR of the store -> its graph."""

from __future__ import annotations

from pathlib import Path

from tasnet.hailo.files import HarError, HNError, Network, har
from tasnet.suite.run.store import Store


def stored_graph(store: Store, name: str, desk: Path) -> Network:
    """The graph of the HAR `name`, without its arrays; `desk` is a folder to work in.

    Raises DamagedArtifact for what is damaged, and set aside then, HarError or HNError for what was written so.
    """
    try:
        return har.read(store.get_har_graph(name, desk / "graph.har"), weights=False)
    except (HarError, HNError):
        # Of the arrays no content is looked at, and one that is cut short moves all that comes after it.
        store.check(name)
        raise
