"""What a newcomer asks the command line first: its help, its version, its completion."""

from __future__ import annotations

import inspect
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tasnet.cli import main
from tasnet.cli.app import app, command_line
from tasnet.cli.commands import SECTIONS
from tasnet.suite.cases import PLANS, PROFILES

ROOT: Any = command_line()


def _below(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*words, name), command
        yield from _below(command, (*words, name)) if hasattr(command, "commands") else ()


ALL = dict(_below(ROOT))
COMMANDS = {words: each for words, each in ALL.items() if not hasattr(each, "commands")}
GROUPS = {(): ROOT, **{words: each for words, each in ALL.items() if words not in COMMANDS}}


def _help(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*words, "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


@pytest.mark.parametrize("words", GROUPS, ids="-".join)
def test_a_group_without_a_command_shows_its_help_as_wrong_usage(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """As click does: a script that forgot the command has done nothing, and its output stays empty."""
    shown = _help(words, capsys)
    assert main(list(words)) == 2
    out, err = capsys.readouterr()
    assert (out, err.strip()) == ("", shown.strip())
    assert err.count("\n") <= 60


def test_commands_stand_in_sections_with_whole_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    text = _help((), capsys)
    places = [text.index(f"\n{each}:\n") for each in SECTIONS]
    assert places == sorted(places)
    assert "\nCommands:\n" not in text
    for words, group in GROUPS.items():
        told = " ".join(_help(words, capsys).split())
        for name, command in group.commands.items():
            sentence = " ".join(inspect.cleandoc(command.help).partition("\n\n")[0].split())
            assert sentence.endswith(".")
            assert f" {name} {sentence}" in told


@pytest.mark.parametrize("words", ALL, ids="-".join)
def test_help_is_short_to_ask_for_and_names_no_types(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    text = _help(words, capsys)
    assert main([*words, "-h"]) == 0
    assert capsys.readouterr().out == text
    assert not re.search(r"\b(TEXT|PATH|DIRECTORY|DIR|INTEGER|INT|FLOAT|BOOLEAN)\b|<\w+>|list\[", text)


def test_a_command_that_is_parsed_by_itself_knows_h_too() -> None:
    alone = typer.main.get_command(app).commands["trend"]  # type: ignore[attr-defined]
    with pytest.raises(typer.Exit):
        alone.make_context("trend", ["-h"])


@pytest.mark.parametrize("words", COMMANDS, ids="-".join)
def test_every_help_has_an_example_that_is_a_right_call(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    text = _help(words, capsys)
    (example,) = re.findall(r"^ *Example: tasnet (.*)$", text, re.M)
    given = shlex.split(example.partition(" > ")[0])
    assert tuple(given[: len(words)]) == words
    # Parsed as a call would be, and not made.
    ALL[words].make_context(words[-1], given[len(words) :])


@pytest.mark.parametrize("words", ALL, ids="-".join)
def test_wrong_usage_points_to_the_help_of_what_was_called(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--no-such-option"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.endswith(f"; see tasnet {' '.join(words)} --help\n")


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    stated = re.search(r'^version = "(.*)"$', Path("pyproject.toml").read_text(), re.M)
    assert stated
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tasnet {stated[1]}\n"


def test_every_profile_is_named_where_one_is_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    told = re.sub(r"\s+", " ", _help(("matrix",), capsys))
    (profiles,) = re.findall(r"--profile NAME (.*?) \[default", told)
    assert re.split(r", | or ", profiles) == [*PROFILES, PLANS]


@pytest.mark.parametrize(
    ("words", "begun", "found"),
    [("", "che", ["check"]), ("ledger", "ex", ["explain"]), ("matrix --profile", "pro", ["probes"])],
    ids=["command", "command-of-a-group", "value"],
)
def test_a_shell_completes(
    words: str, begun: str, found: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As bash asks: what was typed, and the place of the word that is being typed."""
    monkeypatch.setenv("_TASNET_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"tasnet {words} {begun}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) + 1))
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out.split() == found


def test_help_imports_nothing_that_is_slow() -> None:
    slow = {"torch", "numpy", "onnx", "pydantic", "rich", "matplotlib", "ruamel"}
    code = f"import sys; from tasnet.cli import main; main(['--help']); sys.exit(str([*({slow} & sys.modules.keys())]))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr == "[]\n"


def test_help_takes_less_than_three_tenths_of_a_second() -> None:
    """Of the processor, and the best of three: others may be at work here."""

    def seconds() -> float:
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        return spent.ru_utime + spent.ru_stime

    taken = []
    for _ in range(3):
        before = seconds()
        subprocess.run([sys.executable, "-m", "tasnet.cli", "--help"], stdout=subprocess.DEVNULL, check=True)
        taken.append(seconds() - before)
    assert min(taken) < 0.3
