"""Case: a variant at a size, a length and an architecture; its id; and the named sets of cases.

An id leaves out whatever stands on the base: ReLU, identity norms, strided encoder, horizontal, 16000
samples, the paper's size, hailo8: what the conversion notes compiled. All profiles have one base, not one
each, so that an id means the same case wherever it is written: ledger, report, command line or log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from functools import cache, cached_property
from itertools import product

from tasnet.hailo.toolchain import ARCHITECTURES
from tasnet.network.variant import (
    AXES,
    MOST_ELEMENTS,
    Size,
    Variant,
    VariantError,
    count,
    counted,
    parse_blocks,
    set_axis,
)
from tasnet.printable import line

BASE_LENGTH = 16000
BASE_ARCH = "hailo8"
LONGEST_ID = 500
"""characters; with every axis, size and the notes' flags named it takes half of that"""
SIZE_LETTERS: tuple[str, ...] = tuple(letter.name for letter in fields(Size))

_HEAD_AXES = ("expansion", "mask", "sources", "skip", "decoder", "blocks")
_TAIL_AXES = tuple(axis for axis in AXES if axis not in _HEAD_AXES)
_NOTES_FLAGS = (
    *("skip_topology_mode", "mask_mul_mode", "deconv_mode", "truncate_k_blocks"),
    *("bypass_concat", "force_n_src_1", "disable_skip"),
)


class CaseError(ValueError):
    """A case or profile that can't be meant. One line: which part is unknown, and what comes nearest."""


@dataclass(frozen=True)
class Case:
    """A variant at a size, for `length` samples of input, on the Hailo architecture `arch`.

    Raises CaseError for an unknown architecture or a length below the encoder's kernel.
    """

    variant: Variant
    size: Size = field(default_factory=Size)
    length: int = BASE_LENGTH
    arch: str = BASE_ARCH

    def __post_init__(self) -> None:
        if self.arch not in ARCHITECTURES:
            raise CaseError(f"arch={self.arch}: unknown architecture; one of {', '.join(ARCHITECTURES)}")
        if self.length < self.size.L:
            raise CaseError(f"T={self.length}: shorter than the encoder's kernel of L={self.size.L} samples")
        if (elements := self.size.elements(self.length)) > MOST_ELEMENTS:
            longest = self.length * MOST_ELEMENTS // elements
            raise CaseError(
                f"T={counted(self.length)}: at this size T may be up to about {longest:,}, where the widest activation "
                f"has {MOST_ELEMENTS:,} elements"
            )

    @cached_property
    def id(self) -> str:
        """`<expansion>-<mask>[-first][-noskip]-<decoder>-<all|kN>`, then `+axis=value` for each departure.

        `parse` reads it back to an equal case. The departures come in the order of `AXES`, then T, the
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


def graph(case: Case) -> Case:
    """The representative of all cases with `case`'s graph: its variant's normal form, the base arch."""
    return replace(case, variant=case.variant.normal(case.size), arch=BASE_ARCH)


def graph_key(case: Case) -> str:
    """A short text that is equal for two cases exactly when they export the same graph: `graph(case).id`."""
    return graph(case).id


def parse(text: str, arch: str | None = None) -> Case:
    """The case meant by `text`; `arch` is for a text that names none.

    `text` is an id, a run tag of the conversion notes (`baseline`, `truncate-k-1-project`), or the notes'
    flags (`skip_topology_mode=project,deconv_mode=grouped`); each may be followed by `+axis=value` parts in
    any order. Raises CaseError: one line with the part that isn't known and what comes nearest.
    """
    text = text.strip()
    if len(text) > LONGEST_ID:
        raise CaseError(f"case '{line(text)}': longer than an id can be ({LONGEST_ID} characters)")
    head, *parts = text.split("+")
    try:
        given = _head(head)
        seen: set[str] = set()
        for part in parts:
            name, equals, value = part.partition("=")
            if not equals:
                raise CaseError(f"'{part}' isn't axis=value")
            if name in seen:
                raise CaseError(f"{name} is given twice")
            seen.add(name)
            given = _set(given, name, value)
        if arch and "arch" not in seen and "arch=" not in head:
            given = replace(given, arch=arch)
        return Case(given.variant, Size(**given.sizes), given.length, given.arch)
    except (CaseError, VariantError) as error:
        raise CaseError(line(f"case '{text}': {error}", most=4 * LONGEST_ID)) from None


@dataclass(frozen=True)
class _Given:
    """What a text has said so far: sizes and length are held against each other when all is said."""

    variant: Variant = field(default_factory=Variant)
    sizes: Mapping[str, int] = field(default_factory=dict)
    length: int = BASE_LENGTH
    arch: str = BASE_ARCH


def _head(head: str) -> _Given:
    """What a text's part before the first `+` says."""
    if head in NOTES_TAGS:
        return _Given(NOTES_TAGS[head].variant)
    if "=" not in head:
        try:
            return _Given(_from_id(head))
        except (CaseError, VariantError) as error:
            raise CaseError(f"{error}{_nearest(head, _known_heads())}") from None
    given = _Given()
    for pair in filter(None, (p.strip() for p in head.split(","))):
        name, equals, value = pair.partition("=")
        if not equals:
            raise CaseError(f"'{pair}' isn't axis=value")
        given = _set(given, name, value)
    return given


def _from_id(head: str) -> Variant:
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


def _set(given: _Given, name: str, value: str) -> _Given:
    """`given` with one axis, length, size letter or architecture set from text."""
    name, value = name.strip(), value.strip()
    if name == "arch":
        return replace(given, arch=value)
    if name == "T" or name in SIZE_LETTERS:
        number = count(value)
        if number is None:
            raise CaseError(f"{name}={value}: expected a count")
        if name == "T":
            return replace(given, length=number)
        return replace(given, sizes={**given.sizes, name: number})
    if name.lower() not in (*AXES, *_NOTES_FLAGS):
        known = (*AXES, *_NOTES_FLAGS, "T", *SIZE_LETTERS, "arch")
        hint = _nearest(name, known) or f"; one of {', '.join(known)}"
        raise CaseError(f"axis '{name}' is unknown{hint}")
    return replace(given, variant=set_axis(given.variant, name, value))


def _nearest(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""


@cache
def _known_heads() -> tuple[str, ...]:
    """Run tags, then every id without departures that a profile holds."""
    ids = (case.id.partition("+")[0] for name in PROFILES for case in PROFILES[name]())
    return (*NOTES_TAGS, *dict.fromkeys(ids))


# --- profiles ----------------------------------------------------------------------------------------------

_NOTES_DECODERS = tuple(decoder for decoder in AXES["decoder"] if decoder != "polyphase")

NOTES_TAGS: Mapping[str, Case] = {
    tag: Case(_from_id(name))
    for tag, name in {
        "baseline": "concat-normal-grouped-all",
        "disable-skip": "concat-normal-noskip-grouped-all",
        "mask-bypass": "concat-bypass-grouped-all",
        "concat-bypass": "repeat-normal-grouped-all",
        "mask-and-concat-bypass": "repeat-bypass-grouped-all",
        "force-n-src-1": "concat-normal-first-grouped-all",
        "truncate-k-1-project": "project-normal-grouped-k1",
        "truncate-k-1-project-mask-bypass": "project-bypass-grouped-k1",
        "truncate-k-1-project-mask-bypass-deconv-fallback": "project-bypass-ungrouped_blockdiag-k1",
        "truncate-k-1-project-mask-bypass-deconv-reduced128": "project-bypass-reduced_deconv_128-k1",
        "truncate-k-1-project-mask-bypass-deconv-reduced64": "project-bypass-reduced_deconv_64-k1",
        "k1-project-mask-bypass-deconv-reduced64": "project-bypass-reduced_deconv_64-k1",
        "truncate-k-1-project-mask-bypass-conv1x1-head": "project-bypass-conv1x1_head-k1",
        "k1-project-mask-bypass-conv1x1-head": "project-bypass-conv1x1_head-k1",
        "k1-project-mask-bypass-deconv-reduced64-force-n-src-1": "project-bypass-first-reduced_deconv_64-k1",
        "k1-project-mask-bypass-conv1x1-head-force-n-src-1": "project-bypass-first-conv1x1_head-k1",
        "truncate-k-1": "concat-normal-grouped-k1",
        "truncate-k-2": "concat-normal-grouped-k2",
        "truncate-k-4": "concat-normal-grouped-k4",
        "truncate-k-8": "concat-normal-grouped-k8",
        "truncate-k-12": "concat-normal-grouped-k12",
        "truncate-k-16": "concat-normal-grouped-k16",
        # keeping all 24 blocks is the baseline
        "truncate-k-24": "concat-normal-grouped-all",
    }.items()
}
"""The conversion notes' run tags and the cases they ran."""


def matrix() -> Iterator[Case]:
    """What the notes could have run: every topology x the notes' decoders x truncation. 840 cases."""
    for expansion, mask, sources, skip, decoder, blocks in product(
        ("concat", "repeat", "project"),
        ("normal", "bypass"),
        ("all", "first"),
        ("on", "off"),
        _NOTES_DECODERS,
        (0, 1, 2, 4, 8, 12, 16),
    ):
        yield Case(Variant(expansion, mask, sources, skip, decoder, blocks=blocks))


def notes() -> Iterator[Case]:
    """What the notes did run: the distinct cases of their run tags, in the order of the table."""
    yield from dict.fromkeys(NOTES_TAGS.values())


def faithful() -> Iterator[Case]:
    """The trained model's own function, PReLU and gLN kept, in the forms that might carry it. 24 cases."""
    for activation, norm, expansion, decoder in product(
        ("prelu", "prelu_maxmin"),
        ("gln", "gln_pool"),
        ("concat", "project", "split"),
        ("grouped", "polyphase"),
    ):
        yield Case(Variant(expansion=expansion, decoder=decoder, activation=activation, norm=norm))


def probes() -> Iterator[Case]:
    """What to try next: the exact rewrites, the other layout, shorter windows, fewer channels. 80 cases.

    - Every exact expansion x decoder in both layouts, with either encoder, at the full window: 38. `split`
      has one decoder per source, so its block-diagonal form is its grouped one and is left out; `repeat` only
      stands in for `concat`, so one encoder is enough to place it.
    - The window ladder 8000 ... 1600 (16000 is above) for the three forms without concat and without a
      grouped deconvolution: is it the row length alone that fails, and where does it stop failing? 30.
    - One source at 16000 and 3000, both layouts: the same questions with expansion and groups gone. 8.
    - 256 filters and hidden channels at 16000 and 3000: is it memory, not row length, that fails? 4.
    """
    decoders = ("grouped", "ungrouped_blockdiag", "polyphase")
    for layout, encoder, expansion, decoder in product(AXES["layout"], AXES["encoder"], AXES["expansion"], decoders):
        same_graph = (expansion, decoder) == ("split", "ungrouped_blockdiag")
        placed = (expansion, encoder) == ("repeat", "polyphase")
        if not same_graph and not placed:
            yield Case(Variant(expansion, decoder=decoder, encoder=encoder, layout=layout))
    ladder = (
        Variant("split", decoder="polyphase"),
        Variant("split", decoder="polyphase", encoder="polyphase"),
        Variant("project", decoder="ungrouped_blockdiag"),
    )
    for variant, layout, length in product(ladder, AXES["layout"], (8000, 4000, 3000, 2400, 1600)):
        yield Case(replace(variant, layout=layout), length=length)
    for decoder, layout, length in product(("grouped", "polyphase"), AXES["layout"], (16000, 3000)):
        yield Case(Variant(sources="first", decoder=decoder, layout=layout), length=length)
    for variant, length in product((ladder[0], ladder[2]), (16000, 3000)):
        yield Case(variant, size=Size(N=256, H=256), length=length)


PROFILES: Mapping[str, Callable[[], Iterable[Case]]] = {
    "matrix": matrix,
    "notes": notes,
    "probes": probes,
    "faithful": faithful,
}
"""The named sets of cases, on the base architecture."""


def profile(name: str, arch: str = BASE_ARCH) -> tuple[Case, ...]:
    """The cases of a profile in their order, for `arch`. Raises CaseError for an unknown name or arch."""
    if name not in PROFILES:
        raise CaseError(f"profile '{name}' is unknown; one of {', '.join(PROFILES)}")
    return tuple(replace(case, arch=arch) for case in PROFILES[name]())
