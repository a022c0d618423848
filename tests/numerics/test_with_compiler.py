"""With the compiler present: SDK_NATIVE, SDK_FP_OPTIMIZED and SDK_QUANTIZED against the float64 reference.

Limits are those of thresholds.yaml. Without a compiler there is one skip; a double goes this way in
tests/suite/numerics/test_emulated.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tasnet.hailo.compiler.dfc import Dfc
from tasnet.hailo.predict.reference import Reference
from tasnet.suite.cases.case import Case, graph_case
from tasnet.suite.numerics.kept_figures import keep_figures
from tasnet.suite.numerics.measuring import measure_contexts
from tasnet.suite.plugin import skip_without_compiler
from tasnet.suite.plugin.setup import SETUP

if TYPE_CHECKING:
    from tasnet.suite.numerics.thresholds import Thresholds
    from tasnet.suite.run.pipeline import Pipeline

pytestmark = pytest.mark.numerics


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "compiled_form" not in metafunc.fixturenames:
        return
    setup = metafunc.config.stash[SETUP]
    if setup.choice.name != "dfc":
        metafunc.parametrize("compiled_form", [None], ids=["none"])
        return
    forms = list(dict.fromkeys(graph_case(case) for case in setup.cases if isinstance(case, Case)))
    metafunc.parametrize("compiled_form", forms, ids=[form.id for form in forms])


def test_the_contexts_of_the_compiler_are_the_function(
    compiled_form: Case | None, pipeline: Pipeline, limits: Thresholds
) -> None:
    if compiled_form is None or not isinstance(pipeline.toolchain, Dfc):
        skip_without_compiler()
    found = measure_contexts(compiled_form, replace(pipeline, toolchain=Reference(), fit=None), pipeline, limits)
    keep_figures(pipeline.store, found.figures)
    if found.complaints:
        pytest.fail("\n".join(found.complaints), pytrace=False)
