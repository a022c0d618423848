"""Gains: the noise that each layer alone brings at 8 bits, for its bytes, noted in the store as it is found.

The whole network has hundreds of layers, and each takes a run: a page that was killed goes on behind what is noted.
"""

from __future__ import annotations

from collections import UserDict

from tasnet.suite.cases import Case
from tasnet.suite.numerics.kept_figures import code, weights_of
from tasnet.suite.run import Pipeline, Store, content_key


class Noted(UserDict[str, float]):
    """A fact of the store by layer; each one that is set is kept at once. Raises StoreError."""

    def __init__(self, store: Store, key: str) -> None:
        super().__init__()
        self._store, self._key = store, key
        self.data.update(store.note(key) or {})

    def __setitem__(self, layer: str, gain: float) -> None:
        super().__setitem__(layer, gain)
        self._store.put_note(self._key, self.data)


def gains_of(case: Case, pipeline: Pipeline) -> Noted:
    """The gains of a case's layers, of the weights it is exported with and of the code as it is."""
    told = {"gains": 2, "case": case.id, "weights": weights_of(pipeline.recipe), "code": code()}
    return Noted(pipeline.store, content_key(told))
