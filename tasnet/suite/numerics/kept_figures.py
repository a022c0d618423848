"""Figures in the store: of a case at a stage, for limits to be proposed from, and of each layer at 8 bits.

    <store>/measures/<key>.json   one figure, sealed under its key: the case, the weights, the stage, and the code that
                                  computed it
    a note of the store           the noise that each layer of a case adds at 8 bits, for its bytes

What older code measured has another key: it is never read again. `pytest -m numerics` and `tasnet thresholds` keep
what they measure, and a run that was killed continues with what is missing.
"""

from __future__ import annotations

import hashlib
import json
from collections import UserDict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path

from tasnet.common import source_digest
from tasnet.suite.cases import Case
from tasnet.suite.numerics.speech import voices
from tasnet.suite.numerics.thresholds import StageFigure
from tasnet.suite.run import Pipeline, Recipe, Store, content_key, file_sha256

ROOMS = (
    *("common", "network", "plan", "hailo/*", "hailo/files", "hailo/translate", "hailo/execute", "hailo/quantize"),
    *("hailo/predict", "hailo/logs", "hailo/process", "hailo/compiler", "suite/cases", "suite/run", "suite/numerics"),
)
"""the rooms that a figure depends on: all that its code imports, and the embedded toolchain"""

_LIBRARIES = ("numpy", "onnx", "onnxruntime", "torch")


def weights_label(recipe: Recipe) -> str:
    """What a figure's weights were: `seed 0`, or a checkpoint's name and the beginning of its digest."""
    if recipe.checkpoint is None:
        return recipe.weights
    named = [Path(recipe.weights).name, file_sha256(recipe.checkpoint)[:12]]
    # The same file with another mask activation or another count of blocks is another network.
    named += [recipe.mask_activation] if recipe.mask_activation else []
    named += [f"X{recipe.blocks_per_repeat}"] if recipe.blocks_per_repeat else []
    return " ".join(named)


def keep_figures(store: Store, found: Iterable[StageFigure]) -> None:
    """Writes figures to the store; each replaces an older one of its case, weights and stage.

    Raises StoreError, OSError.
    """
    for each in found:
        # as text: JSON has no infinity, which is what an exact stage is at
        data = asdict(each) | {"snr_db": str(each.snr_db), "of_peak": str(each.of_peak)}
        key = _key(each.case, each.weights, each.stage)
        store.seal(_file(store, key), key, json.dumps({"code": code_digest(), "measured": data}).encode())


def read_figures(store: Store) -> Iterator[StageFigure]:
    """All figures that this version of the code has measured, in no order; a damaged file is set aside."""
    keys = sorted(path.stem for path in _file(store, "*").parent.glob("*.json"))
    yield from filter(None, (_read(store, key) for key in keys))


def read_case_figures(store: Store, case: str, weights: str, stages: Iterable[str]) -> tuple[StageFigure, ...]:
    """The figures of a case, by its id, at `stages`; none unless all of them are in the store."""
    found = [_read(store, _key(case, weights, stage)) for stage in stages]
    known = tuple(filter(None, found))
    return known if len(known) == len(found) else ()


class LayerGains(UserDict[str, float]):
    """Layer -> the noise that it adds at 8 bits, for its bytes. Each one that is set is written to the store at once.

    A whole network has hundreds of layers, and each takes a run. Raises StoreError.
    """

    def __init__(self, store: Store, key: str) -> None:
        super().__init__()
        self._store, self._key = store, key
        self.data.update(store.note(key) or {})

    def __setitem__(self, layer: str, gain: float) -> None:
        super().__setitem__(layer, gain)
        self._store.put_note(self._key, self.data)


def layer_gains(case: Case, pipeline: Pipeline) -> LayerGains:
    """The gains in the store of a case's layers, with the weights of `pipeline` and this version of the code."""
    identity = {"gains": 2, "case": case.id, "weights": weights_label(pipeline.recipe), "code": code_digest()}
    return LayerGains(pipeline.store, content_key(identity))


def _file(store: Store, key: str) -> Path:
    return store.root / "measures" / f"{key}.json"


def _read(store: Store, key: str) -> StageFigure | None:
    """The figure under a key; None where there is none, another code wrote it, or it can't be read."""
    path = _file(store, key)
    try:
        # Before there were seals, a figure began so: what older code measured, and no damage.
        if (store.bytes_at(path) or b"").startswith(b'{"code":'):
            return None
        entry = json.loads(store.unsealed(path, key) or b"")
        if entry["code"] != code_digest():
            return None
        data = entry["measured"]
        return StageFigure(**data | {"snr_db": float(data["snr_db"]), "of_peak": float(data["of_peak"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


@cache
def code_digest() -> str:
    """A digest of the sources, the libraries and the voices that a figure depends on."""
    digest = hashlib.sha256(" ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES).encode())
    digest.update(" ".join(voice.name for voice in voices()).encode())
    digest.update(source_digest(*ROOMS).encode())
    return digest.hexdigest()


def _key(case: str, weights: str, stage: str) -> str:
    return content_key({"case": case, "weights": weights, "stage": stage, "code": code_digest()})
