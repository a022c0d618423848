"""What pytest must know of the suite before it looks for a conftest.py: its options, and one trap. An entry point.

Every option begins with `--tasnet-`, a beginning that no other plugin has. Without it, as `--profile`, an option is
taken for tasnet's where nothing else in the environment has one of that name, and else is left to whoever has.

An option's value that is a path elsewhere, as in `pytest --tasnet-store /elsewhere`, is to pytest a folder of tests
until it knows the option: it looks for its configuration there, and finds none. Whoever runs so is told of an `=`.
Nothing else of the suite is loaded: a pytest of another project in the same environment only gets options it won't use.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tasnet.hailo import TOOLCHAINS
from tasnet.suite.cases import BASE_ARCH, PROFILE_NAMES

PREFIX = "--tasnet-"
DEFAULT_PROFILE = "matrix"

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "profile": {
        "default": DEFAULT_PROFILE,
        "metavar": "NAME",
        "help": f"cases: {', '.join(PROFILE_NAMES)} (default {DEFAULT_PROFILE})",
    },
    "case": {
        "action": "append",
        "default": [],
        "metavar": "CASE",
        "help": "this case alone, of the profile or not: an id, a run tag, axis=value pairs; or a pattern such as "
        "'project-*'; repeats",
    },
    "arch": {"default": BASE_ARCH, "metavar": "NAME", "help": "hailo8 (default), hailo8l, hailo8r"},
    "toolchain": {
        "default": TOOLCHAINS[0],
        "metavar": "NAME",
        "help": "reference (default; embedded, predicts) or dfc",
    },
    "dfc-python": {"metavar": "PATH", "help": "the compiler's interpreter; default: $TASNET_DFC_PYTHON"},
    "limit": {
        "action": "append",
        "default": [],
        "metavar": "STAGE.WHAT=VALUE",
        "help": "such as compile.seconds=3600; repeats",
    },
    "calibration": {"metavar": "PATH", "help": "wavs or an npz; default: $TASNET_CALIBRATION"},
    "script": {"metavar": "FILE", "help": "a model script for the compiler"},
    "quick": {"action": "store_true", "help": "the compiler's optimization without its slow algorithms"},
    "checkpoint": {"metavar": "FILE", "help": "weights, or tasnet:small, a trained network; default: drawn"},
    "mask-activation": {"metavar": "relu|sigmoid", "help": "of a checkpoint that doesn't say it (then relu)"},
    "blocks-per-repeat": {"type": int, "metavar": "N", "help": "of a checkpoint that doesn't say it (then 8)"},
    "root": {
        "metavar": "FOLDER",
        "help": "where ledger, store and limits are; default: the nearest folder with an expected_failures.yaml",
    },
    "store": {"metavar": "DIR", "help": "artifacts and outcomes; default: $TASNET_STORE, else .tasnet in the root"},
    "hef": {"metavar": "DIR", "help": "compiled files `<case id>.hef` to run; default: $TASNET_HEF"},
    "require-device": {
        "action": "store_true",
        "help": "fail where the device or the compiled files are missing, not skip",
    },
    "ledger": {"metavar": "FILE", "help": "expected failures; default: expected_failures.yaml in the root"},
}
"""An option's name behind the prefix -> what pytest's parser is told of it."""

TAKEN = pytest.StashKey[tuple[str, ...]]()
"""the short names on the command line that something else than tasnet has"""


def pytest_addoption(parser: pytest.Parser) -> None:
    # conftest.py names the plugin later: its asserts are rewritten only if that is said before it is imported.
    pytest.register_assert_rewrite("tasnet.suite.plugin")
    add_options(parser)


def add_options(parser: pytest.Parser) -> None:
    """Adds the options, once."""
    group = parser.getgroup(
        "tasnet", "Conv-TasNet on Hailo-8 (--profile for --tasnet-profile, where nothing else here has a --profile)"
    )
    if not group.options:
        for name, told in OPTIONS.items():
            group.addoption(f"{PREFIX}{name}", **told)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Short names become whole ones; what a conftest.py has is known when they are all loaded.

    Raises UsageError where a path beside an option led pytest away from the checkout that it was started in.
    """
    _check_still_here(early_config, args)
    # A short name's value is no path of tests in which to look for a conftest.py.
    meant = _with_whole_names(args, taken_names(parser, args))
    with suppress(pytest.UsageError):  # it may be another's, whom a conftest.py brings: said when that is loaded
        known = parser.parse_known_args(meant, namespace=copy.copy(early_config.option))
        early_config.known_args_namespace.file_or_dir = known.file_or_dir
    loaded = yield
    taken = early_config.stash[TAKEN] = taken_names(parser, args)
    args[:] = _with_whole_names(args, taken)
    return loaded


def taken_names(parser: pytest.Parser, args: Sequence[str]) -> tuple[str, ...]:
    """The short names among the arguments that the parser knows: another's, since tasnet adds none."""
    used = {option for option, _, _ in map(_parted, _before_the_paths(args)) if option}
    return tuple(option for option in sorted(used) if _is_known(parser, option))


def _is_known(parser: pytest.Parser, option: str) -> bool:
    try:
        return bool(not parser.parse_known_and_unknown_args([f"{option}=x"])[1])
    except pytest.UsageError:
        return True  # it takes no value, or not this one


def _with_whole_names(args: Sequence[str], taken: Sequence[str]) -> list[str]:
    end = len(_before_the_paths(args))
    parted = [(*_parted(each), each) for each in args[:end]]
    whole = [
        f"{PREFIX}{option.removeprefix('--')}{equals}{value}" if option and option not in taken else each
        for option, equals, value, each in parted
    ]
    return [*whole, *args[end:]]


def _before_the_paths(args: Sequence[str]) -> Sequence[str]:
    """The arguments before a `--`, behind which there is no option."""
    return args[: args.index("--")] if "--" in args else args


def _parted(argument: str) -> tuple[str, str, str]:
    """A short name of ours, `=` and a value, or three empty texts for anything else."""
    option, equals, value = argument.partition("=")
    return (option, equals, value) if option.startswith("--") and option[2:] in OPTIONS else ("", "", "")


def _check_still_here(config: pytest.Config, args: Sequence[str]) -> None:
    from tasnet.suite.ledger import nearest_root

    checkout = nearest_root(config.invocation_params.dir)
    if checkout is None or config.rootpath.resolve() == checkout or not (checkout / "tests" / "compile").is_dir():
        return
    for option, value in pairwise(args):
        if (
            option.startswith("--")
            and option != "--rootdir"
            and "=" not in option
            and not value.startswith("-")
            and Path(value).exists()
        ):
            raise pytest.UsageError(
                f"{option} {value}: pytest takes the path for tests and leaves {checkout}; write {option}={value}"
            )
