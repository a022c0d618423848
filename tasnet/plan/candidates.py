"""Every way to compute a stretch of stages in one segment, within bounds: its phases, windows and rows side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import prod

from tasnet.hailo import Certainty
from tasnet.hailo.predict import PUBLIC_RECORD, ROW_PASS, Observations, Prediction, PredictionKind
from tasnet.plan.cut import CHAIN, HOST, PIECE_IN, POINTWISE, SCALED, Cut, Refused, phases, piece_channels
from tasnet.plan.function import LOCAL_NORMS, SPANNING_NORMS, Function
from tasnet.plan.layers import Facts, facts, has_layers_of, verdict
from tasnet.plan.rows import row_count

MORE_WINDOWS = 2
"""windows a sequence that are tried beyond the fewest that fit"""

_ABOUT_ROWS = frozenset({"reshape_insertion", "agent_infeasible"})
"""the families whose doubts are about a row between the bracket's ends"""


@dataclass(frozen=True)
class Bounds:
    """What a segment may be. `rows` is the widest row, in elements, that is trusted to compile."""

    rows: int = ROW_PASS
    max_layers: int | None = None
    max_blocks: int | None = None
    max_height: int = 16
    """rows side by side: more save a fraction of a millisecond each, and take the host's memory"""
    coders: str = HOST
    refused: tuple[Refused, ...] = ()
    """what a compiler refused: no segment may be one of these, or hold all that one of them has"""
    observed: bool = False
    """only segments whose every layer was seen to compile, alone and at that size"""
    known: Observations = PUBLIC_RECORD
    """what compilers said, which verdicts rest on"""
    stream: bool = False
    """the frames are a stream's block: what a segment looks back at comes before them, and is given again"""


@dataclass(frozen=True)
class Candidate:
    """A cut that the bounds and the constraints let pass, and its rows."""

    cut: Cut
    facts: Facts
    count: int
    invocations: int


@dataclass(frozen=True)
class Miss:
    """Why stages have no segment: what binds, what it would take and what is allowed."""

    what: str
    needed: int
    allowed: int


@lru_cache(maxsize=4096)
def candidates(
    function: Function, start: int, stop: int, frames: int, arch: str, bounds: Bounds
) -> tuple[Candidate, ...]:
    """The segments that compute stages `start` to `stop` of a signal of `frames`; none where none fits."""
    form = None if bounds.observed else form_of(function, start, stop)
    return () if form is None else _of_form(function, form, start, stop, frames, arch, bounds)


def form_of(function: Function, start: int, stop: int) -> str | None:
    """How these stages can be one segment: a chain, a block with scalars, or not at all."""
    blocks = Cut(CHAIN, start, stop, 1, 1, 1).blocks(function)
    if function.norm in LOCAL_NORMS or (function.norm in SPANNING_NORMS and not blocks):
        return CHAIN
    scaled = function.norm in SPANNING_NORMS and len(blocks) == 1 and stop < function.stages
    return SCALED if scaled else None


@lru_cache(maxsize=1024)
def pointwise(function: Function, stage: int, frames: int, arch: str, bounds: Bounds) -> tuple[Candidate, ...]:
    """The segments of the 1x1 convolutions between two depthwise ones."""
    return _of_form(function, POINTWISE, stage, stage + 1, frames, arch, bounds)


MAX_PARTS = 32
"""that one convolution's channels are cut into, on either side"""


def pieces(function: Function, form: str, stage: int, frames: int, arch: str, bounds: Bounds) -> tuple[Candidate, ...]:
    """The fewest observed pieces of a stage's 1x1 convolution; none where none was seen to compile."""
    channels = piece_channels(function, form, stage)
    found = []
    for each in _pieces(function, channels, frames, arch, bounds):
        found.append(replace(each, cut=replace(each.cut, form=form, start=stage, stop=stage + 1)))
    # A smaller piece is no remedy: what was seen to compile elsewhere was refused here.
    return () if any(refusals(function, each.cut, bounds.refused) for each in found) else tuple(found)


@lru_cache(maxsize=64)
def _pieces(
    function: Function, channels: tuple[int, int], frames: int, arch: str, bounds: Bounds
) -> tuple[Candidate, ...]:
    """The same for channels in and out, wherever in the network."""
    counts = range(1, MAX_PARTS + 1)
    if not _cut_into(function, channels, (MAX_PARTS, MAX_PARTS), frames, arch, bounds):
        # Where the smallest piece was never seen, no larger one was.
        return ()
    splits = sorted(product(counts, counts), key=prod)
    found = (_cut_into(function, channels, split, frames, arch, bounds) for split in splits)
    return next(whole for whole in found if whole)


def _cut_into(
    function: Function, channels: tuple[int, int], split: tuple[int, int], frames: int, arch: str, bounds: Bounds
) -> tuple[Candidate, ...]:
    """All pieces of so many parts of the channels in and out; none where one was never seen."""
    takes, gives = (_parts(each, count) for each, count in zip(channels, split, strict=True))
    found = []
    for given, made in product(takes, gives):
        each = _observed(function, given[1] - given[0], made[1] - made[0], frames, arch, bounds)
        if each is None:
            return ()
        found.append(replace(each, cut=replace(each.cut, takes=given, gives=made)))
    return tuple(found)


def _parts(channels: int, count: int) -> list[tuple[int, int]]:
    """The channels in so many parts, of one size but for the last."""
    each = -(-channels // count)
    return [(start, min(start + each, channels)) for start in range(0, channels, each)]


@lru_cache(maxsize=4096)
def _observed(function: Function, given: int, made: int, frames: int, arch: str, bounds: Bounds) -> Candidate | None:
    """A piece at the widest windows that were seen to compile and are trusted, one at a time."""
    for width in dict.fromkeys(-(-frames // count) for count in range(1, frames + 1)):
        cut = Cut(PIECE_IN, 1, 2, 1, width, 1, HOST, (0, given), (0, made))
        judged = verdict(function, cut, arch, bounds.known)
        if judged.kind is PredictionKind.CLEAR and judged.certainty is Certainty.OBSERVED:
            found, windows = facts(function, cut), -(-frames // width)
            if found.widest_row <= bounds.rows:
                return Candidate(cut, found, windows, windows)
    return None


def _of_form(
    function: Function, form: str, start: int, stop: int, frames: int, arch: str, bounds: Bounds
) -> tuple[Candidate, ...]:
    blocks = Cut(form, start, stop, 1, 1, 1).blocks(function)
    if bounds.max_blocks is not None and len(blocks) > bounds.max_blocks:
        return ()
    found: list[Candidate] = []
    # A stream's few frames are one row: in phases they would be no fewer.
    for phase in [1] if bounds.stream else phases(function, blocks):
        narrow = Cut(form, start, stop, phase, 1, 1, bounds.coders)
        binding = refusals(function, narrow, bounds.refused)
        given = frames + narrow.halo(function)[0] if bounds.stream else frames
        for width in _widths(function, narrow, given, bounds, binding):
            side_by_side = not any(each.cut.height > 1 and each.cut.width <= width for each in binding)
            height = bounds.max_height if side_by_side else 1
            made = _candidate(function, replace(narrow, width=width), given, arch, bounds, height)
            found += [made] if made else []
    return tuple(found)


def _widths(function: Function, cut: Cut, frames: int, bounds: Bounds, binding: tuple[Refused, ...]) -> Iterator[int]:
    """The widths that cover a signal without waste, from the fewest windows that the rows allow."""
    spoilt = sum(cut.halo(function))
    shortest, longest = frames // cut.phase, -(-frames // cut.phase)
    widest = min(bounds.rows // facts(function, cut).widest_row, shortest)
    for each in binding:
        if each.stage == "translate":
            return
        widest = min(widest, each.cut.width // 2) if each.cut.height == 1 else widest
    if widest <= spoilt:
        return
    fewest = 1 if longest <= widest else -(-(longest - spoilt) // (widest - spoilt))
    for count in range(fewest, fewest + 1 + MORE_WINDOWS):
        width = -(-(longest + (count - 1) * spoilt) // count)
        if spoilt < width <= widest:
            yield width


def _candidate(
    function: Function, cut: Cut, frames: int, arch: str, bounds: Bounds, max_height: int
) -> Candidate | None:
    around = cut.halo(function)
    longer = frames % cut.phase
    counts = [row_count(length, cut.width, around) for length in (-(-frames // cut.phase), frames // cut.phase)]
    if counts[0] is None or counts[1] is None:
        return None
    count = longer * counts[0] + (cut.phase - longer) * counts[1]
    invocations = -(-count // max_height)
    cut = Cut(cut.form, cut.start, cut.stop, cut.phase, cut.width, -(-count // invocations), cut.coders)
    found = facts(function, cut)
    if found.widest_row > bounds.rows or (bounds.max_layers is not None and found.layers > bounds.max_layers):
        return None
    if not trusted(verdict(function, cut, arch, bounds.known), bounds):
        return None
    return Candidate(cut, found, count, invocations)


def refusals(function: Function, cut: Cut, refused: tuple[Refused, ...]) -> tuple[Refused, ...]:
    """What was refused of which a cut has all layers: it must be half as wide, or one row high where that was more.

    So a refusal is taken for monotone, though no compiler promises that; and half, for a try takes minutes to hours.
    A quantization fails by its weights as well: there the refused stages themselves must be inside, and not just layers
    like theirs. A parser refuses layers at any width.
    """
    found = []
    for each in refused:
        own = each.cut
        alike = cut.form == own.form and cut.coders == own.coders
        inside = cut.start <= own.start and own.stop <= cut.stop and cut.phase == own.phase
        if alike and (inside or each.stage != "optimize") and has_layers_of(function, cut, own):
            found.append(each)
    return tuple(found)


def trusted(judged: Prediction, bounds: Bounds) -> bool:
    """Whether a verdict lets a segment pass: clear, or in doubt about nothing but a row that the bounds trust."""
    if judged.kind is PredictionKind.UNKNOWN and bounds.rows > bounds.known.bracket.passes:
        return all(each.family in _ABOUT_ROWS for each in judged.doubts)
    return judged.kind is PredictionKind.CLEAR


def nearest_miss(function: Function, stage: int, frames: int, arch: str, bounds: Bounds) -> Miss:
    """What binds where a stage alone has no segment within the bounds."""
    stop = stage + 1 if function.norm not in SPANNING_NORMS or stage else stage + 2
    form = form_of(function, stage, stop) or POINTWISE
    probe = Cut(form, stage, stop, 1, 1, 1, bounds.coders)
    found = facts(function, probe)
    if bounds.max_layers is not None and found.layers > bounds.max_layers:
        return Miss("layers", found.layers, bounds.max_layers)
    blocks = probe.blocks(function)
    phase = 1 if bounds.stream else max(phases(function, blocks))
    needed = sum(function.halo(blocks, phase)) + 1
    if not bounds.stream and frames // phase < needed:
        return Miss("frames", needed * phase, frames)
    fails = bounds.known.bracket.fails
    allowed = bounds.rows if fails is None else min(bounds.rows, fails - 1)
    return Miss("elements of a row", needed * found.widest_row, allowed)
