"""Cases: ids, what `parse` takes and refuses, profiles, and which cases are one graph."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasnet.network.variant import AXES, MAX_ELEMENTS, Size, Variant
from tasnet.network.weights import asteroid_shapes
from tasnet.suite.cases.case import SIZE_LETTERS, Case, CaseError, graph_case, graph_key
from tasnet.suite.cases.function import case_function
from tasnet.suite.cases.names import parse_case
from tasnet.suite.cases.profiles import NOTES_TAGS, PROFILE_MEANINGS, PROFILE_NAMES, PROFILES, profile_cases

BLOCKS = st.sampled_from([0, 1, 2, 4, 23, 24, 25])
VARIANTS = st.builds(
    Variant,
    **{axis: st.sampled_from(values) for axis, values in AXES.items() if axis != "blocks"},
    blocks=BLOCKS,
)
SIZES = st.builds(Size, N=st.integers(1, 600), H=st.sampled_from([256, 512]), n_src=st.integers(1, 3))
CASES = st.builds(
    Case,
    variant=VARIANTS,
    size=SIZES,
    length=st.integers(16, 16000),
    arch=st.sampled_from(["hailo8", "hailo8l"]),
)


@given(CASES.filter(lambda case: case.variant.blocks <= case.size.total_blocks), st.randoms())
def test_an_id_reads_back_as_its_case_whatever_the_order_of_its_departures(case, random):
    head, *parts = case.id.split("+")
    random.shuffle(parts)
    assert parse_case("+".join([head, *parts])) == case


@pytest.mark.parametrize(
    ("case", "text"),
    [
        (Case(Variant()), "concat-normal-grouped-all"),
        (
            Case(Variant("project", "bypass", "first", "off", "conv1x1_head", blocks=1)),
            "project-bypass-first-noskip-conv1x1_head-k1",
        ),
        (Case(Variant(norm="cln", causal="taps"), Size(P=2)), "concat-normal-grouped-all+norm=cln+causal=taps+P=2"),
        (
            Case(
                Variant("split", decoder="polyphase", encoder="polyphase", layout="vertical", norm="gln"),
                size=Size(N=256),
                length=8000,
                arch="hailo8l",
            ),
            "split-normal-polyphase-all+encoder=polyphase+norm=gln+layout=vertical+T=8000+N=256+arch=hailo8l",
        ),
    ],
)
def test_ids_leave_out_what_stands_on_the_base(case, text):
    assert case.id == text


def test_axes_are_text_except_counts():
    axes = Case(Variant(blocks=4), length=8000).axes()
    assert {"expansion": "concat", "blocks": 4, "T": 8000, "N": 512, "n_src": 2, "arch": "hailo8"}.items() <= (
        axes.items()
    )
    assert Case(Variant()).axes()["blocks"] == "all"
    assert set(axes) == {*AXES, *SIZE_LETTERS, "T", "arch"}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("baseline", "concat-normal-grouped-all"),
        ("truncate-k-24", "concat-normal-grouped-all"),
        ("truncate-k-1-project-mask-bypass", "project-bypass-grouped-k1"),
        ("baseline+T=8000", "concat-normal-grouped-all+T=8000"),
        (" concat-normal-grouped-all ", "concat-normal-grouped-all"),
        ("skip_topology_mode=project,deconv_mode=conv1x1_head", "project-normal-conv1x1_head-all"),
        (
            "disable_skip=false,mask_mul_mode=bypass,force_n_src_1=true,bypass_concat=false,"
            "skip_topology_mode=project,deconv_mode=conv1x1_head,truncate_k_blocks=1",
            "project-bypass-first-conv1x1_head-k1",
        ),
    ],
)
def test_notes_names_are_read(text, meant):
    assert parse_case(text).id == meant


def test_the_given_architecture_is_for_texts_that_name_none():
    assert parse_case("baseline", "hailo8l").arch == "hailo8l"
    assert parse_case("baseline+arch=hailo8", "hailo8l").arch == "hailo8"
    assert parse_case("mask_mul_mode=bypass,arch=hailo8", "hailo8l").arch == "hailo8"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("concat-norml-grouped-all", ["norml", "did you mean concat-normal-grouped-all"]),
        ("concat-normal-grupped-all", ["grupped", "did you mean", "concat-normal-grouped-all"]),
        ("concat-normal-frist-grouped-all", ["frist", "concat-normal-first-grouped-all"]),
        ("concat-normal-noskip-first-grouped-all", ["order"]),
        ("concat-normal-grouped-4", ["'4'", "k4"]),
        ("baselin", ["did you mean baseline"]),
        ("baseline+layot=vertical", ["layot", "did you mean layout"]),
        ("baseline+layout=diagonal", ["layout=diagonal", "vertical"]),
        ("baseline+T", ["'T'", "axis=value"]),
        ("baseline+T=many", ["T=many"]),
        ("baseline+T=3", ["T=3"]),
        ("baseline+L=15", ["L=15"]),
        ("baseline+P=2", ["P=2", "odd kernel"]),
        ("baseline+causal=yes", ["causal=yes", "off, pad, taps"]),
        ("baseline+T=8000+T=4000", ["twice"]),
        ("baseline+arch=hailo9", ["hailo9", "hailo8"]),
        ("deconv_mode=foo", ["decoder=foo"]),
        ("", ["neither an id"]),
        ("baseline+T=1000000000000000000000", ["T=10^18 or more", "up to about 2"]),
        ("baseline+T=" + "9" * 400, ["T=10^18 or more"]),
        ("baseline+T=2000000", ["T=2000000", "widest activation"]),
        ("baseline+X=5000", ["X=5000", "16"]),
        ("baseline+N=100000000", ["N=100000000", "8192"]),
        ("baseline+n_src=1000", ["n_src=1000", "16"]),
        ("baseline+R=64+X=16", ["R=64", "X=16", "1024", "128"]),
        ("baseline+H=8192+B=8192", ["H=8192", "B=8192", "weights", "67,108,864"]),
        ("concat-normal-grouped-k999999999", ["blocks=999999999", "128", "'all'"]),
        ("concat-normal-grouped-k" + "9" * 400, ["blocks=10^18 or more"]),
        ("concat-normal-grouped-k٤", ["k٤", "'all' or a count"]),
        ("baseline+T=" + "9" * 5000, ["longer than an id"]),
        ("baseline" * 100_000, ["longer than an id"]),
        ("base\x1b[2K\nline", ["base\\x1b[2K\\nline"]),
    ],
)
def test_what_is_unknown_is_named_in_one_line(text, words):
    with pytest.raises(CaseError) as caught:
        parse_case(text)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_sizes_are_held_against_each_other_when_all_of_them_are_said():
    small = parse_case("baseline+T=8+L=8")
    assert small == parse_case("baseline+L=8+T=8")
    wide = "+B=16+H=16+Sc=16+n_src=1"
    assert parse_case(f"baseline+N=4096{wide}").size == parse_case(f"baseline{wide}+N=4096").size


@pytest.mark.parametrize(
    ("size", "length"),
    [(Size(), 16_000), (Size(N=512, L=20, B=256, Sc=256, X=10, R=4), 64_000), (Size(N=4096, L=32), 16_000)],
    ids=["the paper's", "twice as wide and deep, eight seconds", "4096 filters"],
)
def test_sizes_in_use_are_far_from_the_largest(size, length):
    """`weights` counts what a graph takes: against the shapes of Asteroid's own state dict."""
    assert size.weights >= 0.9 * sum(math.prod(shape) for shape in asteroid_shapes(size).values())
    assert size.elements(length) <= MAX_ELEMENTS / 4


@given(st.text(st.sampled_from("baselin+-=,TXNkall0189٤\x1b\n"), max_size=600))
def test_any_text_is_a_case_or_one_line(text):
    try:
        case = parse_case(text)
    except CaseError as error:
        said = str(error)
    else:
        said = ""
        assert parse_case(case.id) == case
    assert said.isprintable()
    assert len(said) < 4000


def test_profiles_hold_distinct_cases_that_read_back():
    counts = {name: len(profile_cases(name)) for name in PROFILES}
    assert counts == {"matrix": 840, "notes": 20, "probes": 80, "faithful": 24, "trained": 29}
    for name in PROFILES:
        cases = profile_cases(name, "hailo8l")
        assert len({case.id for case in cases}) == len(cases)
        assert all(parse_case(case.id) == case for case in cases)
        assert {case.arch for case in cases} == {"hailo8l"}


def test_an_unknown_profile_or_architecture_is_refused():
    with pytest.raises(CaseError, match=r"matrx.*matrix, notes, probes, faithful, trained, plans"):
        profile_cases("matrx")
    with pytest.raises(CaseError, match="hailo9"):
        profile_cases("notes", "hailo9")


def test_the_matrix_is_285_graphs_and_holds_the_notes():
    matrix = profile_cases("matrix")
    assert len({graph_key(case) for case in matrix}) == 285
    assert set(NOTES_TAGS.values()) == set(profile_cases("notes")) <= set(matrix)


def test_no_profile_repeats_a_graph_and_which_keep_the_function():
    for name in ("probes", "faithful", "trained"):
        cases = profile_cases(name)
        assert len({graph_key(case) for case in cases}) == len(cases)
    for case in (*profile_cases("faithful"), *profile_cases("trained")):
        assert case_function(case).text == "exact"
    assert len(profile_cases("trained")) <= 60
    assert list(PROFILE_MEANINGS) == list(PROFILE_NAMES)
    for case in profile_cases("probes"):
        assert set(case.variant.inexact_axes(case.size)) <= {"activation", "norm", "sources"}


@given(CASES, CASES)
def test_graph_keys_are_equal_exactly_when_normal_forms_are(one, other):
    def form(case):
        return case.variant.canonical(case.size), case.size, case.length

    assert (graph_key(one) == graph_key(other)) == (form(one) == form(other))
    assert graph_key(graph_case(one)) == graph_key(one)


@given(VARIANTS)
def test_a_variant_and_its_normal_form_have_one_key(variant):
    case = Case(variant)
    assert graph_key(case) == graph_key(Case(variant.canonical(case.size), arch="hailo8l"))


def test_cases_are_known_and_waves_become_their_input_without_torch():
    code = (
        "import sys, numpy, tasnet.network as n, tasnet.suite.cases.profiles as c; c.profile_cases('matrix'); "
        "n.to_host_input(n.Variant(), n.Size(), numpy.zeros((1, 160), 'f4')); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
