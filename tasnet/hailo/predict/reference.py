"""The embedded toolchain: the open translator and the constraints behind the Toolchain contract.

It runs anywhere and says what is known; everything it says is `predicted`. It writes real HARs and no HEF:
only a compiler can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tasnet import __version__
from tasnet.common import source_digest
from tasnet.hailo import Certainty, Failure, StageEnd, StageReport
from tasnet.hailo.files import Network, is_hn, read_hn
from tasnet.hailo.files import har as hars
from tasnet.hailo.predict.constraints import Prediction, PredictionKind, at_stage, predict_network
from tasnet.hailo.predict.observations import PUBLIC_RECORD, Observations

if TYPE_CHECKING:
    from tasnet.hailo.translate import NodeError


@dataclass(frozen=True)
class Reference:
    """The embedded toolchain, as a Toolchain: predicted, and naming every blocker it knows.

    `known` is what its verdicts rest on beside its rules: by default what is public of the compiler's outcomes.
    """

    known: Observations = PUBLIC_RECORD
    name: str = "reference"
    version: str = __version__
    predicted: bool = True
    exhaustive: bool = True

    @property
    def fingerprint(self) -> str:
        """Hash of the sources that decide what is said, and of the libraries that read the ONNX; `known` is beside."""
        return _fingerprint()

    @property
    def rests_on(self) -> str:
        """Hash of `known`; empty for the public record."""
        return self.known.digest

    def translate(self, onnx: Path, net_name: str, har: Path) -> StageReport:
        """ONNX -> parsed HAR at `har`. What the open translator can't read is unknown: the vendor's parser may."""
        # Imported here: judging a HAR needs no ONNX reader.
        from tasnet.hailo.translate import NodeError, TranslationError, translate

        try:
            network = translate(onnx, net_name)
        except NodeError as error:
            return StageReport(StageEnd.UNKNOWN, (), _without_rule(error), detail=str(error))
        except TranslationError as error:
            return StageReport(StageEnd.UNKNOWN, (), (_doubt("export_model", str(error)),), detail=str(error))
        # 20 MB, which the store takes apart and keeps.
        hars.write(network, har, lasting=False)
        detail = "; ".join([f"{len(network.layers)} layers", *(f"assumed: {a.text}" for a in network.assumptions)])
        return StageReport(StageEnd.PASSED, artifact=har, detail=detail)

    def optimize(self, har: Path, arch: str, out: Path) -> StageReport:
        """The blockers that show at optimize. Nothing is quantized: the next stage reads the parsed HAR."""
        return _report(_verdict(har, arch, self.known), "optimize", har)

    def compile(self, har: Path, arch: str, hef: Path) -> StageReport:
        """The verdict on the parsed HAR; no HEF is written."""
        return _report(_verdict(har, arch, self.known), "compile", None)


def read_network(path: Path, shapes: Mapping[str, Sequence[int]] = MappingProxyType({})) -> Network:
    """The graph of a HAR, with its weights, of a bare `.hn`, or of an ONNX file by the open translator.

    `shapes` gives the sizes of an ONNX file's inputs, where they are open. Raises their errors.
    """
    if hars.is_har(path) or path.suffix == ".har":
        return hars.read(path)
    if is_hn(path) or path.suffix == ".hn":
        return read_hn(path)
    from tasnet.hailo.translate import translate

    return translate(path, "net", shapes)


def is_onnx(path: Path) -> bool:
    """True for what the open translator reads: all but a HAR and an `.hn`, known by content, else by name."""
    return not (path.suffix in {".har", ".hn"} or hars.is_har(path) or is_hn(path))


def predict_file(
    path: Path,
    arch: str,
    shapes: Mapping[str, Sequence[int]] = MappingProxyType({}),
    known: Observations = PUBLIC_RECORD,
) -> Prediction:
    """The verdict on a HAR, an `.hn` or an ONNX file; a node that no rule takes leaves it unknown.

    Raises as `read_network` does.
    """
    if not is_onnx(path):
        return predict_network(read_network(path), arch, known)
    from tasnet.hailo.translate import NodeError

    try:
        return predict_network(read_network(path, shapes), arch, known)
    except NodeError as error:
        return Prediction(PredictionKind.UNKNOWN, Certainty.EXTRAPOLATED, (), _without_rule(error))


def _without_rule(error: NodeError) -> tuple[Failure, ...]:
    """A doubt for each kind of node that no rule takes: all that can be said, since no layer could be judged."""
    doubts: dict[tuple[str, str], list[NodeError]] = {}
    for each in (error, *error.others):
        doubts.setdefault((each.op, each.why), []).append(each)
    return tuple(
        _doubt("unsupported_op", str(alike[0]), tuple(each.node for each in alike), {"op": op})
        for (op, _), alike in doubts.items()
    )


def _doubt(family: str, message: str, nodes: tuple[str, ...] = (), figures: Mapping[str, str] | None = None) -> Failure:
    """What the open translator can't read is no failure: the vendor's parser, which takes more ops, was not asked."""
    return Failure(
        stage="translate",
        family=family,
        message=message,
        layers=nodes,
        figures=figures or {},
        evidence="none: the open translator can't read it, and nothing behind it was judged",
        certainty=Certainty.EXTRAPOLATED,
    )


def _verdict(har: Path, arch: str, known: Observations) -> Prediction:
    try:
        stat = har.stat()
    except OSError:
        return predict_network(hars.read(har, weights=False), arch, known)
    return _judged(har, (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns), arch, known)


@lru_cache(maxsize=1)
def _judged(har: Path, stamp: tuple[int, ...], arch: str, known: Observations) -> Prediction:
    """One verdict has the failures of both stages, and compile follows optimize: it is kept until the next."""
    return predict_network(hars.read(har, weights=False), arch, known)


def _report(verdict: Prediction, stage: str, artifact: Path | None) -> StageReport:
    failures, doubts = at_stage(verdict.blockers, stage), at_stage(verdict.doubts, stage)
    undecided = (*doubts, *at_stage(verdict.cautions, stage))
    if failures:
        return StageReport(StageEnd.FAILED, failures, undecided)
    if doubts:
        return StageReport(StageEnd.UNKNOWN, (), undecided, artifact=artifact)
    return StageReport(StageEnd.PASSED, (), undecided, certainty=verdict.certainty, artifact=artifact)


_ROOMS = ("common", "hailo/*", "hailo/files", "hailo/translate", "hailo/predict")
"""whose code decides what is predicted"""


@cache
def _fingerprint() -> str:
    digest = sha256(source_digest(*_ROOMS).encode())
    for package in ("onnx", "onnx-ir", "onnxscript"):
        try:
            digest.update(f"{package} {version(package)}".encode())
        except PackageNotFoundError:
            digest.update(f"{package} none".encode())
    return digest.hexdigest()
