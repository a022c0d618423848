"""The distinct graphs of the profile, and what their numerics are compared on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import torch

from tasnet.suite.cases.case import Case, graph_case
from tasnet.suite.cases.profiles import PLANS
from tasnet.suite.ledger import from_here
from tasnet.suite.numerics.speech import mixtures
from tasnet.suite.numerics.thresholds import THRESHOLDS_FILE, Thresholds, read_thresholds
from tasnet.suite.plugin.setup import SETUP


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not {"form", "real_form"} & set(metafunc.fixturenames):
        return
    setup = metafunc.config.stash[SETUP]
    # The segments of plans are run together, as the network that they are: test_plans.py.
    cases = [] if setup.profile == PLANS else [case for case in setup.cases if isinstance(case, Case)]
    forms = list(dict.fromkeys(map(graph_case, cases)))
    if "form" in metafunc.fixturenames:
        metafunc.parametrize("form", forms, ids=[form.id for form in forms])
        return
    # all of them take minutes: whoever asks for the numerics, or for a case, gets them
    asked = setup.named or "numerics" in metafunc.config.option.markexpr
    chosen = forms if asked else _sample(forms)
    metafunc.parametrize("real_form", chosen, ids=[form.id for form in chosen])


def _sample(forms: list[Case]) -> list[Case]:
    """The first graph, a whole network, and shallow ones until each value of each axis is in one of them."""
    shallow = sorted(forms, key=lambda form: form.variant.blocks or form.size.total_blocks)
    left = set().union(*map(_values, forms))
    chosen = forms[:1]
    while left := left.difference(*map(_values, chosen)):
        chosen.append(max(shallow, key=lambda form: len(_values(form) & left)))
    return chosen


def _values(form: Case) -> set[tuple[str, object]]:
    return set(vars(form.variant).items())


@pytest.fixture(autouse=True, scope="package")
def _threads() -> Iterator[None]:
    """One thread per worker: several workers' threads wait for each other at every layer."""
    before = torch.get_num_threads()
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def limits(pytestconfig: pytest.Config) -> Thresholds:
    """The limits of the root."""
    return read_thresholds(from_here(pytestconfig.stash[SETUP].root / THRESHOLDS_FILE))


@cache
def mix_of(length: int) -> np.ndarray:
    """A mixture of two voices, [1, length]."""
    return mixtures(1, length)[0].mix.reshape(1, -1)
