"""The pages of `make docs`: those that docs/README.md sends a reader to are there, and say what the module says."""

from __future__ import annotations

import html
import importlib
import re
from pathlib import Path

from tests.doubles.repository import environment
from tests.forked import run_module

ROOT = Path(__file__).resolve().parents[2]
INDEX = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tasnet(?:\.\w+)+)`", INDEX)))


def test_files_that_the_index_links_are_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", INDEX)
    assert linked
    assert [path for path in linked if not (ROOT / "docs" / path).exists()] == []


def test_every_named_module_has_a_page_with_its_docstring(tmp_path: Path) -> None:
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"-m pdoc (.*) tasnet -o", make)
    assert found
    done = run_module("pdoc", [*found[1].split(), *NAMED, "-o", str(tmp_path)], ROOT, environment())
    assert (done.returncode, done.stderr) == (0, "")
    for name in NAMED:
        page = (tmp_path / f"{name.replace('.', '/')}.html").read_text(encoding="utf-8")
        docstring = importlib.import_module(name).__doc__
        assert docstring
        assert " ".join(_words(docstring)[:12]) in " ".join(_words(_text(page))), name


def _text(page: str) -> str:
    """A page without its markup."""
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
