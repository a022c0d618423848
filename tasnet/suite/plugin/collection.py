"""Which test files are collected."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasnet.suite.plugin.setup import MARKS


@pytest.hookimpl(trylast=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m compile` (or another mark of the suite, alone), files that never name the mark have no test to run.

    Opened all the same, they and the conftest.py of their folder would be imported, with torch, and their tests
    collected by every worker, to be deselected. Last in turn: an environment, which pytest never enters, has
    thousands of files that needn't be read.
    """
    mark = str(config.option.markexpr).strip()
    if mark not in MARKS or collection_path == config.rootpath:
        return None
    if collection_path.is_dir():
        files = [*collection_path.rglob("*.py")]
    elif collection_path.suffix == ".py" and collection_path.name not in {"__init__.py", "conftest.py"}:
        files = [collection_path]
    else:
        return None
    return None if any(_names(mark, file) for file in files) else True


def _names(mark: str, file: Path) -> bool:
    # An editor's lock is a link to nowhere.
    return file.is_file() and re.search(rb"\bmark\.%b\b" % mark.encode(), file.read_bytes()) is not None
