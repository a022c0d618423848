"""Profiles: named sets of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

from tasnet.network import AXES, Size, Variant
from tasnet.suite.cases.case import BASE_ARCH, Case, CaseError, variant_of

_NOTES_DECODERS = tuple(decoder for decoder in AXES["decoder"] if decoder != "polyphase")


NOTES_TAGS: Mapping[str, Case] = {
    tag: Case(variant_of(name))
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


def trained() -> Iterator[Case]:
    """The forms that keep the trained network's function, PReLU as the LeakyRelu that it is. 29 cases.

    - Every exact expansion x decoder in both layouts, at the full window: 16. `repeat` only stands in for `concat`.
    - The other encoder, the other form of gLN and the other forms of PReLU, vertically, where no row is too long: 4.
    - Windows of 8000 ... 1000, horizontally, of the form that has no join and no deconvolution, and of the one with a
      1x1 convolution and a block-diagonal decoder: is it the row length alone that fails, and where does it stop? 9.
    """
    least = Variant("split", decoder="polyphase", norm="gln", activation="leaky_relu")
    decoders = ("grouped", "ungrouped_blockdiag", "polyphase")
    for layout, expansion, decoder in product(AXES["layout"], ("concat", "project", "split"), decoders):
        if (expansion, decoder) != ("split", "ungrouped_blockdiag"):
            yield Case(replace(least, expansion=expansion, decoder=decoder, layout=layout))
    vertical = replace(least, layout="vertical")
    yield Case(replace(vertical, encoder="polyphase"))
    yield Case(replace(vertical, norm="gln_pool"))
    yield Case(replace(vertical, activation="prelu"))
    yield Case(replace(vertical, activation="prelu_maxmin"))
    joined = replace(least, expansion="project", decoder="ungrouped_blockdiag")
    for variant, lengths in ((least, (8000, 4000, 3000, 1600, 1000)), (joined, (8000, 4000, 3000, 1600))):
        for length in lengths:
            yield Case(variant, length=length)


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
    "trained": trained,
}
"""The named sets of cases, on the base architecture."""


PROFILE_MEANINGS: Mapping[str, str] = {
    "matrix": "all that the conversion notes could have compiled",
    "notes": "what the conversion notes compiled",
    "probes": "exact rewrites of it, both layouts, shorter windows",
    "faithful": "the trained network's function, with PReLU and gLN as they are",
    "trained": "forms that keep the trained network's function",
    "plans": "networks as trained, whole and in the segments of their plans",
}
"""what a profile is, in a few words"""


PLANS = "plans"
"""The profile whose cases are found by planning: whole networks, and the segments of the plan of each."""

PROFILE_NAMES: tuple[str, ...] = (*PROFILES, PLANS)


@dataclass(frozen=True)
class PlannedNetwork:
    """A network of the profile `plans`: the whole of it, of a length to plan for, and its sample rate in Hz."""

    name: str
    whole: Case
    rate: int

    def on(self, arch: str) -> PlannedNetwork:
        """The same for an architecture. Raises CaseError for an unknown one."""
        return replace(self, whole=replace(self.whole, arch=arch))


def _as_trained(size: Size, length: int) -> Case:
    """The trained function, gLN and PReLU kept, in the exact form that is the least in the chip's way."""
    return Case(Variant("split", decoder="polyphase", norm="gln", activation="prelu"), size, length)


PLANNED: tuple[PlannedNetwork, ...] = (
    PlannedNetwork("notes, 8 kHz", _as_trained(Size(), 16_000), 8_000),
    PlannedNetwork("notes, 16 kHz", _as_trained(Size(L=32), 32_000), 16_000),
    PlannedNetwork("256 filters", _as_trained(Size(N=256, H=256), 16_000), 8_000),
    PlannedNetwork("the paper's small", _as_trained(Size(N=128, L=40, B=128, H=256, Sc=128, X=7, R=2), 16_000), 8_000),
)
"""The networks that are planned, for clips of two seconds."""


def profile_cases(name: str, arch: str = BASE_ARCH) -> tuple[Case, ...]:
    """The cases of a profile in their order, for `arch`. Raises CaseError for an unknown name or arch.

    Those of `plans` need a store, where the plans are kept: `run.cases_of`.
    """
    if name == PLANS:
        raise CaseError(
            f"profile '{PLANS}' has segments of networks, and whole ones are asked for; one of {', '.join(PROFILES)}"
        )
    if name not in PROFILES:
        raise CaseError(f"profile '{name}' is unknown; one of {', '.join(PROFILE_NAMES)}")
    return _made(PROFILES[name], arch)


@cache
def _made(profile: Callable[[], Iterable[Case]], arch: str) -> tuple[Case, ...]:
    """A profile's cases on an architecture, made once: the largest has 840, and the ledger asks for them often."""
    return tuple(replace(case, arch=arch) for case in profile())
