"""The cases that are named one by one, in a profile or outside it; and for a name that finds none, what is near."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache

from tasnet.common import counted, printable
from tasnet.suite.cases.case import BASE_ARCH, AnyCase, Case, CaseError, SegmentCase, graph_key
from tasnet.suite.cases.names import parse_any_case
from tasnet.suite.cases.profiles import NOTES_TAGS, PROFILES, profile_cases

_WILD = re.compile(r"[*?\[]")


def named_cases(texts: Iterable[str], cases: Sequence[AnyCase], profile: str, arch: str) -> tuple[AnyCase, ...]:
    """The cases that the texts name, each once, in the order in which they are named.

    A text is what `parse_any_case` reads, and names a case whether the profile has it or not; or it has `*`, `?` or
    `[`, and names those of `cases`, the profile's, whose id or run tag it fits. Where it fits none, its `+axis=value`
    parts are set on those that the rest fits. Raises CaseError where a text names none: what is near, and where.
    """
    found: list[AnyCase] = []
    for text in texts:
        found += _fitting(text.strip(), cases, profile) if _WILD.search(text) else [parse_any_case(text, arch)]
    return tuple(dict.fromkeys(found))


def _fitting(pattern: str, cases: Sequence[AnyCase], profile: str) -> list[AnyCase]:
    if found := [each for each in cases if _fits(each, pattern)]:
        return found
    head, *parts = pattern.split("+")
    if parts and not any(map(_WILD.search, parts)):
        rest = [each for each in cases if _fits(each, head) and not isinstance(each, SegmentCase)]
        if rest:
            return [_with_parts(each, parts) for each in rest]
    elsewhere = _told(_elsewhere(profile, lambda case: _fits(case, pattern)))
    raise CaseError(
        f"case '{printable(pattern)}': fits no case of profile {profile}; "
        f"{elsewhere or 'nor one of another: tasnet matrix --list prints their ids'}"
    )


def _fits(case: AnyCase, pattern: str) -> bool:
    whole = case.whole if isinstance(case, SegmentCase) else case
    on_base = case if whole.arch == BASE_ARCH else _on_base(case)
    return any(fnmatchcase(name, pattern) for name in (case.id, on_base.id, *_tags().get(on_base, ())))


def _on_base(case: AnyCase) -> AnyCase:
    if isinstance(case, SegmentCase):
        return replace(case, whole=replace(case.whole, arch=BASE_ARCH))
    return replace(case, arch=BASE_ARCH)


@cache
def _tags() -> Mapping[AnyCase, list[str]]:
    found: dict[AnyCase, list[str]] = {}
    for tag, case in NOTES_TAGS.items():
        found.setdefault(case, []).append(tag)
    return found


def _with_parts(case: AnyCase, parts: Sequence[str]) -> AnyCase:
    """The case with the parts in place of those of the same name."""
    named = {part.partition("=")[0] for part in parts}
    head, *own = case.id.split("+")
    kept = [part for part in own if part.partition("=")[0] not in named]
    return parse_any_case("+".join([head, *kept, *parts]))


# --- where a name would find something ----------------------------------------------------------------------


def why_not_run(text: str, cases: Sequence[AnyCase], profile: str, arch: str) -> str:
    """Why no test has this id: it is none, it is another profile's, or its graph is run under another case's id.

    One line; empty where a test of the profile has it.
    """
    try:
        case = parse_any_case(text, arch)
    except CaseError as error:
        return str(error)
    if case in cases:
        graph = graph_key(case)
        return (
            f"{case.id}: a case of profile {profile}; tests of its graph have the id {graph}"
            if graph != case.id
            else ""
        )
    having = " and ".join(name for name in PROFILES if isinstance(case, Case) and _on_base(case) in profile_cases(name))
    where = f"it is in {having}: --profile {having.split()[0]}, or " if having else "name it with "
    return f"{case.id}: no case of profile {profile}; {where}--case '{case.id}'"


def without_keyword(keyword: str, cases: Sequence[AnyCase], profile: str) -> Iterator[str]:
    """Why pytest's `-k` leaves no case, lines: words that no id of the profile has, and the profiles that have them."""
    words = [word for word in re.findall(r"[^\s()]+", keyword) if word not in ("and", "or", "not")]
    missing = [word for word in words if not any(word.lower() in case.id.lower() for case in cases)]
    for word in missing:
        yield f"-k {word}: no id of profile {profile} has it; {_having(word.lower(), profile, cases)}"
    if not missing:
        yield f"-k '{keyword}': every word is in some id of profile {profile}, and no id is as it says"
    yield "-k takes parts of tests' names, and k1 is a part of k12; a case is named with --case ID"


def _having(word: str, profile: str, cases: Sequence[AnyCase]) -> str:
    """Which other profiles' ids have the word, or which run tags, or which word of the profile's is near."""
    if found := _told(_elsewhere(profile, lambda case: word in case.id.lower())):
        return found
    if tags := [tag for tag in NOTES_TAGS if word in tag]:
        return f"a run tag is named with --case, such as --case {tags[0]}"
    near = get_close_matches(word, dict.fromkeys(part for case in cases for part in re.split("[-+=]", case.id)))
    return f"did you mean {' or '.join(near)}?" if near else "nor one of another profile"


def _elsewhere(profile: str, fits: Callable[[Case], bool]) -> Iterator[tuple[str, list[Case]]]:
    for name in PROFILES:
        found = [case for case in profile_cases(name) if fits(case)] if name != profile else []
        if found:
            yield name, found


def _told(found: Iterable[tuple[str, list[Case]]]) -> str:
    return "; ".join(
        f"{name} has {counted(len(cases), 'case')}, such as {cases[0].id}: --profile {name}" for name, cases in found
    )
