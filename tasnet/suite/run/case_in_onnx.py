"""Which case an ONNX file is: `tasnet export` writes it into the file's metadata, and whoever gets the file reads it.

It is believed only while the file is what was written: a checksum of graph, weights and note is beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tasnet.network import PUBLISHED, UNKNOWN_FUNCTION, FunctionKept, TrainedForm
from tasnet.suite.cases import Case, CaseError, case_function, parse_case

if TYPE_CHECKING:
    from onnx import ModelProto

_PREFIX = "tasnet."
_SUM = f"{_PREFIX}checksum"


@dataclass(frozen=True)
class ModelFunction:
    """What an ONNX file is known to be. `why` says in a line why its case isn't known.

    `si_sdr_db` is how near it is to the function of the checkpoint that it was exported of (dB, None where unknown);
    `of` names these weights.
    """

    case: Case | None
    kept: FunctionKept
    why: str = ""
    si_sdr_db: float | None = None
    of: str = ""

    @classmethod
    def unknown(cls, why: str) -> ModelFunction:
        """Of a file whose case isn't known."""
        return cls(None, UNKNOWN_FUNCTION, why)

    @property
    def text(self) -> str:
        """`exact`, `another function: no norms; SI-SDR 0.8 dB to …`, `unknown: the file doesn't say …`."""
        return f"{self.kept.text}: {self.why}" if self.why else told_function(self.kept, self.si_sdr_db, self.of)


def told_function(kept: FunctionKept, si_sdr_db: float | None, of: str) -> str:
    """The word for a form's function, and how far it is from that of the weights `of`, where that was measured."""
    if si_sdr_db is None:
        return kept.text
    return f"{kept.text}; SI-SDR {si_sdr_db:.1f} dB to {of} as it was trained, on tasnet's own voices"


def note_case(
    model: ModelProto, case: Case, trained: TrainedForm = PUBLISHED, *, si_sdr_db: float | None = None, of: str = ""
) -> None:
    """Writes into the model's metadata which case it is, of a network trained so, and how far from it. Changes it."""
    said = {"case": case.id, "norm": trained.norm, "causal": str(trained.causal).lower(), "of": of}
    if si_sdr_db is not None:
        said["si_sdr_db"] = repr(float(si_sdr_db))
    found = {f"{_PREFIX}{name}": text for name, text in said.items() if text}
    for name, text in {**found, _SUM: _checksum(model, found)}.items():
        model.metadata_props.add(key=name, value=text)


def function_of_file(path: Path) -> ModelFunction:
    """What the ONNX file at `path`, which can be read, says that it is. Never raises for what stands in it."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, OSError):
        return ModelFunction.unknown("the file can't be read once more")
    said = {each.key: each.value for each in model.metadata_props if each.key.startswith(_PREFIX)}
    if _SUM not in said:
        return ModelFunction.unknown("the file doesn't say which case it is, as those of tasnet export do")
    del model.metadata_props[:]
    if said.pop(_SUM) != _checksum(model, said):
        return ModelFunction.unknown("the file was changed since tasnet wrote it")
    try:
        case = parse_case(said[f"{_PREFIX}case"])
        trained = TrainedForm(said[f"{_PREFIX}norm"], said[f"{_PREFIX}causal"] == "true")
        far = said.get(f"{_PREFIX}si_sdr_db")
        return ModelFunction(
            case, case_function(case, trained), "", None if far is None else float(far), said.get(f"{_PREFIX}of", "")
        )
    except (CaseError, KeyError, ValueError):
        return ModelFunction.unknown("another version of tasnet wrote it")


def _checksum(model: ModelProto, said: Mapping[str, str]) -> str:
    """Of a model without metadata, and of what is said of it."""
    found = sha256(model.SerializeToString(deterministic=True))
    for name in sorted(said):
        found.update(f"\n{name}={said[name]}".encode())
    return found.hexdigest()
