"""Case: a variant at a size, a length and an architecture; SegmentCase: a segment of such a network's plan. Their ids.

An id leaves out whatever stands on the base: ReLU, identity norms, strided encoder, horizontal, 16000
samples, the paper's size, hailo8: what the conversion notes compiled. All profiles have one base, not one
each, so that an id means the same case wherever it is written: ledger, report, command line or log.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import overload

from tasnet.common import TasnetError
from tasnet.hailo import ARCHITECTURES
from tasnet.network import AXES, MAX_ELEMENTS, Size, Variant, count_text, parse_blocks
from tasnet.plan import Cut

BASE_LENGTH = 16000
BASE_ARCH = "hailo8"
SIZE_LETTERS: tuple[str, ...] = tuple(letter.name for letter in fields(Size))

_HEAD_AXES = ("expansion", "mask", "sources", "skip", "decoder", "blocks")
_TAIL_AXES = tuple(axis for axis in AXES if axis not in _HEAD_AXES)


class CaseError(TasnetError, ValueError):
    """A case or profile that can't be meant. One line: which part is unknown, and what comes nearest."""


@dataclass(frozen=True)
class Case:
    """A variant at a size, for `length` samples of input, on the Hailo architecture `arch`.

    Raises CaseError for an unknown architecture or a length below the encoder's kernel, VariantError for an even
    kernel without `causal`.
    """

    variant: Variant
    size: Size = field(default_factory=Size)
    length: int = BASE_LENGTH
    arch: str = BASE_ARCH

    def __post_init__(self) -> None:
        self.variant.check(self.size)
        if self.arch not in ARCHITECTURES:
            raise CaseError(f"arch={self.arch}: unknown architecture; one of {', '.join(ARCHITECTURES)}")
        if self.length < self.size.L:
            raise CaseError(f"T={self.length}: shorter than the encoder's kernel of L={self.size.L} samples")
        if (elements := self.size.elements(self.length)) > MAX_ELEMENTS:
            longest = self.length * MAX_ELEMENTS // elements
            raise CaseError(
                f"T={count_text(self.length)}: at this size T may be up to about {longest:,}, where the widest "
                f"activation has {MAX_ELEMENTS:,} elements"
            )

    @cached_property
    def id(self) -> str:
        """`<expansion>-<mask>[-first][-noskip]-<decoder>-<all|kN>`, then `+axis=value` for each departure.

        `parse_case` reads it back to an equal case. The departures come in the order of `AXES`, then T, the
        letters of Size, arch.
        """
        v, base, usual_size = self.variant, Variant(), Size()
        head = [v.expansion, v.mask]
        head += ["first"] * (v.sources == "first") + ["noskip"] * (v.skip == "off")
        head += [v.decoder, v.blocks_text]
        tail = [(axis, getattr(v, axis), getattr(base, axis)) for axis in _TAIL_AXES]
        tail += [("T", self.length, BASE_LENGTH)]
        tail += [(letter, getattr(self.size, letter), getattr(usual_size, letter)) for letter in SIZE_LETTERS]
        tail += [("arch", self.arch, BASE_ARCH)]
        return "-".join(head) + "".join(f"+{name}={value}" for name, value, usual in tail if value != usual)

    def axes(self) -> dict[str, str | int]:
        """Every axis of AXES as text (`blocks` as `all` or an int), T and Size's letters as int, arch."""
        return {
            **self.variant.axes(),
            "blocks": self.variant.blocks or "all",
            "T": self.length,
            **{letter: getattr(self.size, letter) for letter in SIZE_LETTERS},
            "arch": self.arch,
        }


SEGMENT_PARTS = ("segment", "stages", "phase", "rows", "coders", "takes", "gives")
"""what an id has of a cut, behind the whole network's parts"""


@dataclass(frozen=True)
class SegmentCase:
    """A segment of a plan: a stretch of the network that `whole` is, cut as `cut` says.

    A type of its own and not a Case with one field more: who exports, runs or compares a Case takes it for the whole
    network. What both have is what a judgement needs: `id`, `axes`, `arch`, `graph_key`.
    """

    whole: Case
    cut: Cut

    @property
    def arch(self) -> str:
        """The whole network's."""
        return self.whole.arch

    @cached_property
    def id(self) -> str:
        """The network's id, then `+segment=<form>+stages=<from>-<to>+phase=<p>+rows=<height>x<width>`.

        Stages count as in plan.json: 0 is the head, 1 the first block, and the second number is not included. Coders
        on the chip and a piece's channels follow.
        """
        cut = self.cut
        parts = {
            "segment": cut.form,
            "stages": f"{cut.start}-{cut.stop}",
            "phase": cut.phase,
            "rows": f"{cut.height}x{cut.width}",
            **({"coders": cut.coders} if cut.coders != Cut.coders else {}),
            **{
                name: "-".join(map(str, ends))
                for name, ends in (("takes", cut.takes), ("gives", cut.gives))
                if any(ends)
            },
        }
        return self.whole.id + "".join(f"+{name}={value}" for name, value in parts.items())

    def axes(self) -> dict[str, str | int]:
        """The whole network's axes, then the segment's form, stages, phase, and the width and height of its rows."""
        cut = self.cut
        own = {"start": cut.start, "stop": cut.stop, "phase": cut.phase, "width": cut.width, "height": cut.height}
        return {**self.whole.axes(), "segment": cut.form, **own}


AnyCase = Case | SegmentCase


@overload
def graph_case(case: Case) -> Case: ...
@overload
def graph_case(case: SegmentCase) -> SegmentCase: ...
def graph_case(case: AnyCase) -> AnyCase:
    """The representative of all cases with `case`'s graph: its variant's canonical form, the base arch.

    Of a segment the one on the base arch: no other segment has its weights.
    """
    if isinstance(case, SegmentCase):
        return replace(case, whole=replace(case.whole, arch=BASE_ARCH))
    return replace(case, variant=case.variant.canonical(case.size), arch=BASE_ARCH)


def graph_key(case: AnyCase) -> str:
    """A short text that is equal for two cases exactly when they export the same graph: `graph(case).id`."""
    return graph_case(case).id


def variant_of(head: str) -> Variant:
    """The variant of an id's part before the first `+`."""
    words = head.split("-")
    if len(words) < 4:
        raise CaseError(f"'{head}' is neither an id (expansion-mask-decoder-blocks), a run tag nor flags")
    expansion, mask, *switches, decoder, blocks = words
    for word in switches:
        if word not in ("first", "noskip"):
            raise CaseError(f"'{word}' is unknown; only 'first' and 'noskip' stand before the decoder")
    if switches not in ([], ["first"], ["noskip"], ["first", "noskip"]):
        raise CaseError(f"'{'-'.join(switches)}': 'first' and 'noskip' stand at most once, in this order")
    if blocks != "all" and not blocks.startswith("k"):
        raise CaseError(f"'{blocks}' is unknown; blocks are 'all' or a count such as k4")
    return Variant(
        expansion=expansion,
        mask=mask,
        sources="first" if "first" in switches else "all",
        skip="off" if "noskip" in switches else "on",
        decoder=decoder,
        blocks=parse_blocks(blocks),
    )
