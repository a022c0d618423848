"""Runs that are kept: each figure of a case at a stage, as one file of the store, for limits to be proposed from.

    <store>/measures/<key>.json   one figure, sealed under its key: the case, the weights, the stage, and the code that
                                  computed it

What older code measured is of another key: it is never read again. `pytest -m numerics` and `tasnet thresholds` keep
what they measure; a run that was killed goes on behind what is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path

import tasnet
from tasnet.suite.numerics.speech import voices
from tasnet.suite.numerics.thresholds import Measured
from tasnet.suite.run import Recipe, Store, content_key, file_sha256

_CODE = ("common", "network", "hailo", "suite/cases", "suite/run", "suite/numerics")
"""the rooms that a figure rests on, below the package"""

_LIBRARIES = ("numpy", "onnx", "onnxruntime", "torch")


def weights_of(recipe: Recipe) -> str:
    """What a figure's weights were: `seed 0`, or a checkpoint's name and the beginning of its digest."""
    if recipe.checkpoint is None:
        return f"seed {recipe.seed}"
    named = [recipe.checkpoint.name, file_sha256(recipe.checkpoint)[:12]]
    # What was said of it makes it another function, or another network.
    named += [recipe.mask_activation] if recipe.mask_activation else []
    named += [f"X{recipe.blocks_per_repeat}"] if recipe.blocks_per_repeat else []
    return " ".join(named)


def keep(store: Store, found: Iterable[Measured]) -> None:
    """Keeps figures, each in the place of an older one of its case, weights and stage. Raises StoreError, OSError."""
    for each in found:
        # as text: JSON has no infinity, which is what an exact stage is at
        data = asdict(each) | {"snr_db": str(each.snr_db), "of_peak": str(each.of_peak)}
        key = _key(each.case, each.weights, each.stage)
        store.seal(_file(store, key), key, json.dumps({"code": code(), "measured": data}).encode())


def kept(store: Store) -> Iterator[Measured]:
    """What the code as it is has measured, in no order; a damaged file is set aside."""
    keys = sorted(path.stem for path in _file(store, "*").parent.glob("*.json"))
    yield from filter(None, (_read(store, key) for key in keys))


def of_case(store: Store, case: str, weights: str, stages: Iterable[str]) -> tuple[Measured, ...]:
    """What is kept of a case by its id, or nothing unless every one of `stages` is."""
    found = [_read(store, _key(case, weights, stage)) for stage in stages]
    known = tuple(filter(None, found))
    return known if len(known) == len(found) else ()


def _file(store: Store, key: str) -> Path:
    return store.root / "measures" / f"{key}.json"


def _read(store: Store, key: str) -> Measured | None:
    """The figure under a key; None where there is none, none of the code as it is, or none that can be read."""
    path = _file(store, key)
    try:
        # Before there were seals, a figure began so: what older code measured, and no damage.
        if (store.bytes_at(path) or b"").startswith(b'{"code":'):
            return None
        entry = json.loads(store.unsealed(path, key) or b"")
        if entry["code"] != code():
            return None
        data = entry["measured"]
        return Measured(**data | {"snr_db": float(data["snr_db"]), "of_peak": float(data["of_peak"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


@cache
def code() -> str:
    """A digest of the sources, the libraries and the voices that a figure rests on."""
    digest = hashlib.sha256(" ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES).encode())
    digest.update(" ".join(voice.name for voice in voices()).encode())
    folder = Path(tasnet.__path__[0])
    for room in _CODE:
        for source in sorted((folder / room).rglob("*.py")):
            digest.update(f"{source.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def _key(case: str, weights: str, stage: str) -> str:
    return content_key({"case": case, "weights": weights, "stage": stage, "code": code()})
