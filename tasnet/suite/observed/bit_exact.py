"""The chip against the compiler's own emulation of it, bit for bit: SDK_BIT_EXACT, where the compiler offers it.

The compiler is on one machine and the chip mostly on another, so the emulation lies in a file beside the compiled one:

    <case id>.hef
    <case id>.emulated.npz     the frames, what the emulation made of them, and the sha256 of the HEF that it goes with

Both sides tell real values; compared are the chip's own steps, by the scales and zero points of the HEF.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasnet.common import TasnetError, unfinished
from tasnet.hailo.compiler import Dfc
from tasnet.hailo.files import EdgeLayer, Hef, edges_in_order, quantize_values
from tasnet.suite.cases import Case, Stage, Status
from tasnet.suite.numerics import emulated_arrays
from tasnet.suite.run import Pipeline, content_of, file_sha256

CONTEXT = "SDK_BIT_EXACT"
EMULATION_SUFFIX = ".emulated.npz"
EMULATED_WINDOWS = 2
"""Windows of speech where nobody asks for another number: the emulation of one takes minutes, as documented."""

Array = npt.NDArray[np.float32]

_OUTPUT = "output:"
"""before an output's name in the file: the frames are an array too"""


class BitExactError(TasnetError, ValueError):
    """The two can't be compared. One line: why, and what to do."""


@dataclass(frozen=True)
class Emulation:
    """What the emulation made of `frames` (N, H, W, C): its outputs by name, in its order, each (N, H, W, C).

    `hef` is the sha256 of the compiled file that came of the same quantized network; `by` the compiler and its
    version, of which a test double's is never held against a chip.
    """

    frames: Array
    outputs: Mapping[str, npt.NDArray[np.generic]]
    hef: str
    by: str
    double: bool


@dataclass(frozen=True)
class Exactness:
    """How many of the values differ, and by how many of the chip's steps at most; a line for each output that does."""

    values: int
    differing: int
    most_steps: int
    lines: tuple[str, ...]

    def __str__(self) -> str:
        if not self.differing:
            return f"all {self.values} values are the emulation's, bit for bit"
        return f"{self.differing} of {self.values} values differ from the emulation: {'; '.join(self.lines)}"


def emulate_bit_exact(pipeline: Pipeline, case: Case, hef: Path, frames: Array) -> Emulation:
    """Emulates the network that `hef` was compiled from; the pipeline's toolchain must be the compiler.

    Raises BitExactError where this pipeline compiles the case to another file than `hef`, or not at all, and
    EmulationError where the compiler doesn't offer the context.
    """
    dfc = pipeline.toolchain
    if not isinstance(dfc, Dfc):
        raise BitExactError(f"toolchain {dfc.name} emulates nothing; run with --toolchain dfc")
    outcomes = pipeline.run(case, whole=True)
    compiled, optimized = outcomes[Stage.COMPILE], outcomes[Stage.OPTIMIZE].artifact
    if compiled.status is not Status.PASSED or not compiled.artifact or not optimized:
        raise BitExactError(f"{case.id}: compile ended {compiled.status.value} here; give the options it compiled with")
    digest = file_sha256(hef)
    if content_of(compiled.artifact) != digest:
        raise BitExactError(
            f"{hef.name}: not the file that this store has for {case.id}; give the store and options that compiled it"
        )
    with pipeline.store.workspace() as desk:
        har = pipeline.store.get_har(optimized, desk / "quantized.har")
        outputs = emulated_arrays(dfc, har, pipeline.resolve(case), CONTEXT, frames)
    return Emulation(np.asarray(frames, np.float32), outputs, digest, f"{dfc.name} {dfc.version}", dfc.double)


def write_emulation(emulation: Emulation, hef: Path) -> Path:
    """Writes the emulation beside `hef`, whole or not at all, and returns the file. Raises OSError."""
    target = hef.with_name(hef.stem + EMULATION_SUFFIX)
    about = json.dumps({"hef": emulation.hef, "by": emulation.by, "double": emulation.double})
    arrays = {f"{_OUTPUT}{name}": array for name, array in emulation.outputs.items()}
    with unfinished.opened(target) as file:
        np.savez_compressed(file, about=np.array(about), frames=emulation.frames, **arrays)  # type: ignore[arg-type]
    return target


def read_emulation(hef: Path) -> Emulation | None:
    """The emulation beside `hef`; None without one. Raises BitExactError for one that is damaged or of another HEF."""
    file = hef.with_name(hef.stem + EMULATION_SUFFIX)
    if not file.is_file():
        return None
    try:
        with np.load(file, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            outputs = {n.removeprefix(_OUTPUT): arrays[n] for n in arrays.files if n.startswith(_OUTPUT)}
            found = Emulation(arrays["frames"], outputs, about["hef"], about["by"], bool(about["double"]))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise BitExactError(f"{file.name}: can't be read ({error}); write it again with tasnet emulate") from None
    if found.hef != file_sha256(hef):
        raise BitExactError(f"{file.name}: goes with another {hef.name}; write it again with tasnet emulate")
    return found


def compare_bit_exact(hef: Hef, emulation: Emulation, outputs: Mapping[str, Array]) -> Exactness:
    """The device's outputs (N, H, W, C) by the HEF's names, against the emulation's, in steps of the HEF's numbers.

    Outputs are matched by name where the emulation has the HEF's names, else in order. Raises BitExactError for
    other shapes, HefError for numbers that can't be quantized.
    """
    names = list(emulation.outputs)
    edges = edges_in_order([name.rpartition("/")[2] for name in names], hef.outputs)
    if len(edges) != len(names):
        raise BitExactError(f"the HEF has {len(edges)} outputs, the emulation {len(names)}: not of one network")
    values = differing = most = 0
    lines = []
    for name, edge in zip(names, edges, strict=True):
        ours, theirs = _steps(edge, outputs[edge.name]), _steps(edge, np.asarray(emulation.outputs[name]))
        if ours.shape != theirs.shape:
            raise BitExactError(f"output {edge.name}: device {ours.shape}, emulation {theirs.shape}; compile it again")
        apart = np.abs(ours - theirs)
        count = int(np.count_nonzero(apart))
        values, differing, most = values + apart.size, differing + count, max(most, int(apart.max(initial=0)))
        if count:
            lines.append(f"{edge.name}: {count} of {apart.size}, at most {int(apart.max())} steps")
    return Exactness(values, differing, most, tuple(lines))


def _steps(edge: EdgeLayer, values: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """The chip's steps of real values; whole numbers are steps already."""
    if np.issubdtype(values.dtype, np.integer):
        return values.astype(np.int64)
    return quantize_values(edge, values.astype(np.float32)).astype(np.int64)
