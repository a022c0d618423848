"""Which test files are collected, and why no test has the id that is asked for."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tasnet.suite.cases import why_not_run
from tasnet.suite.early_options import PREFIX
from tasnet.suite.plugin.options import in_pytest
from tasnet.suite.plugin.pairs import PAIR_ID
from tasnet.suite.plugin.plans import PLAN_TEST_PREFIX
from tasnet.suite.plugin.setup import MARKS, SETUP


@pytest.hookimpl(trylast=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m compile` (or another mark of the suite, alone), files that never name the mark have no test to run.

    Opened all the same, they and the conftest.py of their folder would be imported, with torch, and their tests
    collected by every worker, to be deselected. Last in turn: an environment, which pytest never enters, has
    thousands of files that needn't be read; nor need those that lie beside what is asked for.
    """
    mark = str(config.option.markexpr).strip()
    if mark not in MARKS or collection_path == config.rootpath:
        return None
    if not _is_asked_for(collection_path, config):
        return True
    if collection_path.is_dir():
        files = [*collection_path.rglob("*.py")]
    elif collection_path.suffix == ".py" and collection_path.name not in {"__init__.py", "conftest.py"}:
        files = [collection_path]
    else:
        return None
    return None if any(_names(mark, file) for file in files) else True


def _is_asked_for(path: Path, config: pytest.Config) -> bool:
    """Whether it lies in a folder that was given. What was given itself, and the way to it, pytest enters unasked."""
    given = [os.path.abspath(config.invocation_params.dir / each.partition("::")[0]) for each in config.args]
    # A package by its name lies wherever Python finds it.
    return config.option.pyargs or any(path.is_relative_to(each) for each in given)


def _names(mark: str, file: Path) -> bool:
    """Whether the file's code has `mark.compile`, in whatever is called `mark`; a text that has it is no code."""
    # An editor's lock is a link to nowhere.
    content = file.read_bytes() if file.is_file() else b""
    if not re.search(rb"\bmark\.%b\b" % mark.encode(), content):
        return False
    try:
        nodes = ast.walk(ast.parse(content))
    except (SyntaxError, ValueError):
        return True  # pytest tells of it
    return any(isinstance(each, ast.Attribute) and each.attr == mark for each in nodes)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Where pytest finds no test of a case's id, its error says what is near, and which profile has it."""
    try:
        return (yield)
    except pytest.UsageError as error:
        raise pytest.UsageError(*error.args, *why_no_test(session.config)) from None


def why_no_test(config: pytest.Config) -> Iterator[str]:
    """Lines: of each test that is asked for by a case's id why there may be none, and what `-k` can't read."""
    setup = config.stash[SETUP]
    for argument in config.args:
        _, bracket, name = argument.removesuffix("]").partition("[")
        if bracket:
            name = name.removeprefix(PAIR_ID).removeprefix(PLAN_TEST_PREFIX)
            yield from filter(None, [in_pytest(why_not_run(name, setup.cases, setup.profile, setup.arch))])
    if "=" in config.option.keyword:
        yield f"-k reads no =; a case is named with {PREFIX}case ID"
