"""Reads the name of a case: an id, a run tag of the notes, or their flags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache

from tasnet.common import printable
from tasnet.network import AXES, Size, Variant, VariantError, parse_count, set_axis
from tasnet.plan import FORMS, Cut
from tasnet.suite.cases.case import (
    BASE_ARCH,
    BASE_LENGTH,
    SEGMENT_PARTS,
    SIZE_LETTERS,
    AnyCase,
    Case,
    CaseError,
    SegmentCase,
    variant_of,
)
from tasnet.suite.cases.profiles import NOTES_TAGS, PROFILES

MAX_ID_CHARS = 500
"""characters; with every axis, size and the notes' flags named it takes half of that"""


_NOTES_FLAGS = (
    *("skip_topology_mode", "mask_mul_mode", "deconv_mode", "truncate_k_blocks"),
    *("bypass_concat", "force_n_src_1", "disable_skip"),
)


def parse_case(text: str, arch: str | None = None) -> Case:
    """The case meant by `text`; `arch` is for a text that names none.

    `text` is an id, a run tag of the conversion notes (`baseline`, `truncate-k-1-project`), or the notes'
    flags (`skip_topology_mode=project,deconv_mode=grouped`); each may be followed by `+axis=value` parts in
    any order. Raises CaseError: one line with the part that isn't known and what comes nearest; also for a segment's
    id, where the whole network must be meant.
    """
    case = parse_any_case(text, arch)
    if isinstance(case, SegmentCase):
        raise CaseError(f"case '{printable(text.strip())}': a segment of a plan; name its network: {case.whole.id}")
    return case


def parse_any_case(text: str, arch: str | None = None) -> AnyCase:
    """The same, or the segment meant by a segment's id. Raises CaseError."""
    text = text.strip()
    if len(text) > MAX_ID_CHARS:
        raise CaseError(f"case '{printable(text)}': longer than an id can be ({MAX_ID_CHARS} characters)")
    head, *parts = text.split("+")
    try:
        given = _head(head)
        cut: dict[str, str] = {}
        seen: set[str] = set()
        for part in parts:
            name, equals, value = part.partition("=")
            if not equals:
                raise CaseError(f"'{part}' isn't axis=value")
            if name in seen:
                raise CaseError(f"{name} is given twice; keep one")
            seen.add(name)
            if name in SEGMENT_PARTS:
                cut[name] = value
            else:
                given = _set(given, name, value)
        if arch and "arch" not in seen and "arch=" not in head:
            given = replace(given, arch=arch)
        whole = Case(given.variant, Size(**given.sizes), given.length, given.arch)
        check_blocks(whole.variant, whole.size)
        return SegmentCase(whole, _cut(cut)) if cut else whole
    except (CaseError, VariantError) as error:
        raise CaseError(printable(f"case '{text}': {error}", most=4 * MAX_ID_CHARS)) from None


def check_blocks(variant: Variant, size: Size) -> None:
    """Raises CaseError for a count of blocks past the network's: it would be another name of the whole network.

    A case that is named is checked so, at its own size and at that of the checkpoint that it is asked for with.
    """
    if variant.blocks > size.total_blocks:
        has = f"the network has {size.total_blocks} blocks (R={size.R}, X={size.X})"
        raise CaseError(f"k{variant.blocks}: {has}; write all, or k{size.total_blocks - 1} at most")


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
            return _Given(variant_of(head))
        except (CaseError, VariantError) as error:
            raise CaseError(f"{error}{_nearest(head, _known_heads())}") from None
    given = _Given()
    for pair in filter(None, (p.strip() for p in head.split(","))):
        name, equals, value = pair.partition("=")
        if not equals:
            raise CaseError(f"'{pair}' isn't axis=value")
        given = _set(given, name, value)
    return given


def _set(given: _Given, name: str, value: str) -> _Given:
    """`given` with one axis, length, size letter or architecture set from text."""
    name, value = name.strip(), value.strip()
    if name == "arch":
        return replace(given, arch=value)
    if name == "T" or name in SIZE_LETTERS:
        number = parse_count(value)
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


def _cut(parts: Mapping[str, str]) -> Cut:
    """The cut that a segment's parts mean. Raises CaseError."""
    if missing := [name for name in ("segment", "stages", "phase", "rows") if name not in parts]:
        raise CaseError(f"a segment without {missing[0]}; its id has segment, stages, phase and rows")
    if parts["segment"] not in FORMS:
        raise CaseError(f"segment={parts['segment']}: unknown; one of {', '.join(FORMS)}")
    if (coders := parts.get("coders", Cut.coders)) not in ("host", "chip"):
        raise CaseError(f"coders={coders}: unknown; one of host, chip")
    start, stop = _two(parts, "stages", "-")
    height, width = _two(parts, "rows", "x")
    phase = parse_count(parts["phase"])
    if not (phase and height and width and start < stop):
        raise CaseError("a segment has stages from-to, and a phase and rows of at least 1")
    takes, gives = (_two(parts, name, "-") if name in parts else (0, 0) for name in ("takes", "gives"))
    return Cut(parts["segment"], start, stop, phase, width, height, coders, takes, gives)


def _two(parts: Mapping[str, str], name: str, between: str) -> tuple[int, int]:
    """Two counts, `0-2` or `4x501`; the first may be 0. Raises CaseError."""
    first, _, second = parts[name].partition(between)
    counts = 0 if first == "0" else parse_count(first), parse_count(second)
    if counts[0] is None or counts[1] is None:
        raise CaseError(f"{name}={parts[name]}: expected two counts such as 1{between}2")
    return counts[0], counts[1]


def _nearest(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""


@cache
def _known_heads() -> tuple[str, ...]:
    """Run tags, then every id without departures that a profile holds."""
    ids = (case.id.partition("+")[0] for name in PROFILES for case in PROFILES[name]())
    return (*NOTES_TAGS, *dict.fromkeys(ids))
