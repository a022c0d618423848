"""Cases named one by one: ids, run tags, flags, patterns; in the profile, outside it, and nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.suite.cases.case import CaseError
from tasnet.suite.cases.named import named_cases, why_not_run, without_keyword
from tasnet.suite.cases.profiles import profile_cases

NOTES = profile_cases("notes")
MATRIX = profile_cases("matrix")
LIGHT = profile_cases("notes", "hailo8l")


def ids(*texts: str, profile: str = "notes", arch: str = "hailo8") -> list[str]:
    return [each.id for each in named_cases(texts, profile_cases(profile, arch), profile, arch)]


NAMED = {
    "an id": (["concat-normal-grouped-k1"], ["concat-normal-grouped-k1"]),
    "a run tag": (["baseline"], ["concat-normal-grouped-all"]),
    "the notes' flags": (["deconv_mode=grouped,skip_topology_mode=project"], ["project-normal-grouped-all"]),
    "outside the profile": (["split-normal-polyphase-k3+T=8000"], ["split-normal-polyphase-k3+T=8000"]),
    "named twice, by two names": (["truncate-k-24", "baseline"], ["concat-normal-grouped-all"]),
    "a pattern of ids": (["project-normal-*"], ["project-normal-grouped-k1"]),
    "a pattern of run tags": (
        ["truncate-k-1?"],
        ["concat-normal-grouped-k12", "concat-normal-grouped-k16"],
    ),
    "a pattern, and other values": (
        ["project-normal-*+T=8000+decoder=conv1x1_head"],
        ["project-normal-conv1x1_head-k1+T=8000"],
    ),
    "as they are named": (["mask-bypass", "baseline"], ["concat-bypass-grouped-all", "concat-normal-grouped-all"]),
}


@pytest.mark.parametrize(("texts", "found"), NAMED.values(), ids=NAMED)
def test_what_a_name_finds(texts: list[str], found: list[str]) -> None:
    assert ids(*texts) == found


def test_a_pattern_is_of_whole_ids_before_its_values_are_set() -> None:
    ladder = ids("split-normal-polyphase-all+T=?000", profile="probes")
    assert ladder == [f"split-normal-polyphase-all+T={length}" for length in (8000, 4000, 3000)]
    assert ids("split-normal-polyphase-all+T=2*", profile="probes") == ["split-normal-polyphase-all+T=2400"]


def test_a_pattern_needs_no_arch_and_a_name_takes_the_runs() -> None:
    assert ids("*-grouped-k1", arch="hailo8l") == [
        "project-normal-grouped-k1+arch=hailo8l",
        "project-bypass-grouped-k1+arch=hailo8l",
        "concat-normal-grouped-k1+arch=hailo8l",
    ]
    assert ids("baseline", "baseline+arch=hailo8r", arch="hailo8l") == [
        "concat-normal-grouped-all+arch=hailo8l",
        "concat-normal-grouped-all+arch=hailo8r",
    ]


@given(st.lists(st.sampled_from(MATRIX), unique=True, max_size=5))
def test_every_id_names_its_case_alone(cases: list) -> None:
    assert named_cases([case.id for case in cases], NOTES, "notes", "hailo8") == tuple(cases)


UNKNOWN = {
    "nothing near": ("*-k3", "case '*-k3': fits no case of profile notes; nor one of another"),
    "another profile's": (
        "*polyphase*",
        "fits no case of profile notes; probes has 50 cases, such as concat-normal-polyphase-all: --profile probes; ",
    ),
    "misspelt": ("concat-bypas", "did you mean concat-bypass or "),
    "a value that is none": ("project-*+decoder=group", "decoder=group: unknown value; "),
    "an axis that is none": ("project-*+decode=grouped", "axis 'decode' is unknown; did you mean decoder"),
}


@pytest.mark.parametrize(("text", "told"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_name_that_finds_nothing_says_what_is_near_and_where(text: str, told: str) -> None:
    with pytest.raises(CaseError) as raised:
        ids(text)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_why_no_test_has_an_id() -> None:
    def why(text: str) -> str:
        return why_not_run(text, MATRIX, "matrix", "hailo8")

    assert why("concat-normal-grouped-all") == ""
    # a truncation in front of a bypassed mask changes nothing
    assert why("project-bypass-grouped-k1").endswith("tests of its graph have the id project-bypass-grouped-all")
    assert why("split-normal-polyphase-all") == (
        "split-normal-polyphase-all: no case of profile matrix; it is in probes: --profile probes, or "
        "--case 'split-normal-polyphase-all'"
    )
    assert why("split-normal-polyphase-k2").endswith(
        "no case of profile matrix; name it with --case 'split-normal-polyphase-k2'"
    )
    assert "did you mean concat-normal-grouped-all" in why("concat-nrmal-grouped-all")


def test_why_a_keyword_leaves_no_case() -> None:
    def why(keyword: str) -> str:
        return next(without_keyword(keyword, MATRIX, "matrix"))

    assert why("project and polyphase").startswith(
        "-k polyphase: no id of profile matrix has it; probes has 50 cases, "
    )
    assert why("projct") == "-k projct: no id of profile matrix has it; did you mean project?"
    assert why("truncate-k").endswith("a run tag is named with --case, such as --case truncate-k-1-project")
    assert why("k1 and k2") == "-k 'k1 and k2': every word is in some id of profile matrix, and no id is as it says"
