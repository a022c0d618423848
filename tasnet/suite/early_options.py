"""What pytest must know of the suite before it looks for a conftest.py: its options, and one trap. An entry point.

An option's value that is a path elsewhere, as in `pytest --store /elsewhere`, is to pytest a folder of tests until it
knows the option: it looks for its configuration there, and finds none. Whoever runs so is told to write an `=`.
Nothing else of the suite is loaded: a pytest of another project in the same environment only gets options it won't use.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    # conftest.py names the plugin later: its asserts are rewritten only if that is said before it is imported.
    pytest.register_assert_rewrite("tasnet.suite.plugin")
    from tasnet.suite.plugin.setup import pytest_addoption as options

    options(parser)


def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Raises UsageError where a path beside an option led pytest away from the checkout that it was started in."""
    here = early_config.invocation_params.dir
    checkout = next((each for each in (here, *here.parents) if _is_checkout(each)), None)
    if checkout is None or early_config.rootpath == checkout:
        return
    for option, value in pairwise(args):
        if option.startswith("--") and "=" not in option and not value.startswith("-") and Path(value).exists():
            raise pytest.UsageError(
                f"{option} {value}: pytest takes the path for tests and leaves {checkout}; write {option}={value}"
            )


def _is_checkout(folder: Path) -> bool:
    return (folder / "expected_failures.yaml").is_file() and (folder / "tests" / "compile").is_dir()
