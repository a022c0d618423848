"""The commands of docs/ name options and files that exist. They are not run: they need a compiler, or a chip."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasnet.cli import main
from tasnet.suite.cases.profiles import profile_cases

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(?:console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(program: str) -> Iterator[list[str]]:
    for path in sorted((ROOT / "docs").glob("*.md")):
        for block in BLOCK.findall(path.read_text(encoding="utf-8")):
            for line in block.splitlines():
                if found := re.search(rf"(?:^\$ |\.venv/bin/){program} (.*)", line):
                    yield shlex.split(found[1])


def options(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}


@pytest.mark.parametrize("words", list(commands("tasnet")), ids=" ".join)
def test_tasnet(words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    command = words[:2] if words[0] in ("plan", "evidence", "ledger") else words[:1]
    assert main([*command, "--help"]) == 0
    assert options(words) <= set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", capsys.readouterr().out))


@pytest.mark.parametrize("words", list(commands("pytest")), ids=" ".join)
def test_pytest(words: list[str], pytestconfig: pytest.Config) -> None:
    known = {name for group in pytestconfig._parser._groups for each in group.options for name in each.names()}
    known |= {name for each in pytestconfig._parser._anonymous.options for name in each.names()}
    assert options(words) <= known
    for path in (word.partition("::")[0] for word in words if ".py" in word):
        assert (ROOT / path).is_file()


def test_cases_that_the_docs_name_are_some() -> None:
    named = [(word, words) for words in commands("pytest") for word in words if "::" in word]
    assert named
    for word, words in named:
        known = {case.id for case in profile_cases(words[words.index("--tasnet-profile") + 1])}
        assert word.partition("[")[2].rstrip("]") in known


LINK = re.compile(r"\]\(([^)#:\s]+)(#[^)\s]+)?\)")


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    source = ROOT / page
    for path, anchor in LINK.findall(source.read_text(encoding="utf-8")):
        target = source.parent / path
        assert target.exists(), path
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), path + anchor


def test_the_readme_leads_to_every_step_with_the_compiler_and_the_chip() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "compiler-and-device.md").read_text(encoding="utf-8")
    steps = {anchor for anchor in anchors(guide) if anchor[1].isdigit()}
    assert steps
    assert steps <= {anchor for _, anchor in LINK.findall(readme)}
