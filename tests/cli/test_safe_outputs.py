"""No command writes over what it reads. The commands and their paths are taken from the application itself."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tasnet.cli import main
from tasnet.cli.app import command_line
from tasnet.cli.safe_outputs import path_names, written_names
from tests.cli.small_files import model

READ = {
    "at",
    "calibration",
    "checkpoint",
    "dfc_python",
    "file",
    "folder",
    "hardware",
    "ledger",
    "logs",
    "mix",
    "more",
    "plan",
    "recordings",
    "root",
    "script",
    "source",
    "sources",
    "store",
}
"""parameters that name what is read alone, the store, and the root, of which only some files are read"""


def _commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        else:
            yield (*words, name), command


COMMANDS = dict(_commands(command_line()))


PAIRS = [
    (words, written, read)
    for words, command in COMMANDS.items()
    for written in written_names(command.callback)
    for read in sorted(set(path_names(command.callback)) - set(written_names(command.callback)) - {"root"})
]


def _arguments(words: tuple[str, ...], given: dict[str, Path]) -> list[str]:
    """A call with these paths, and a word for whatever else must be given."""
    options, arguments = [], []
    paths = path_names(COMMANDS[words].callback)
    for each in COMMANDS[words].params:
        value = given.get(each.name)
        # An argument that may be left out is in the way of those behind it.
        if value is None and not each.required and each.param_type_name != "argument":
            continue
        text = str(value) if value is not None else "other" if each.name in paths else "baseline"
        if each.param_type_name == "argument":
            arguments.append(text)
        else:
            options += [each.opts[-1], text]
    return [*words, *options, *arguments]


WAYS: dict[str, Callable[[Path, Path], object]] = {
    "itself": lambda read, written: None,
    "a link": lambda read, written: written.symlink_to(read),
    "a hard link": os.link,
    "through a link to its folder": lambda read, written: written.parent.joinpath("round").symlink_to("."),
}


@pytest.mark.parametrize(("words", "written", "read"), PAIRS, ids=["-".join([*w, a, b]) for w, a, b in PAIRS])
def test_no_command_writes_over_a_path_that_it_reads(
    words: tuple[str, ...],
    written: str,
    read: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number, (way, link) in enumerate(WAYS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        given, named = Path("given.bin"), Path("named.bin")
        given.write_bytes(b"mine")
        link(given, named)
        target = named if os.path.lexists(named) else Path("round/given.bin") if Path("round").exists() else given
        assert main(_arguments(words, {written: target, read: given})) == 2
        out, err = capsys.readouterr()
        assert f"{target}: is read here, as given.bin" in err, way
        assert (out, err.count("\n")) == ("", 1)
        assert given.read_bytes() == b"mine"


@pytest.mark.parametrize(("words", "written", "read"), PAIRS, ids=["-".join([*w, a, b]) for w, a, b in PAIRS])
def test_no_command_writes_over_a_file_in_a_folder_that_it_reads(
    words: tuple[str, ...],
    written: str,
    read: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("folder")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.json").write_bytes(b"mine")
    assert main(_arguments(words, {written: folder / "deep" / "a.json", read: folder})) == 2
    assert "is a file of folder, which is read here" in capsys.readouterr().err
    assert (folder / "deep" / "a.json").read_bytes() == b"mine"


def test_a_parameter_that_names_a_path_is_declared_as_written_or_known_as_read() -> None:
    """A new one is neither until somebody says which."""
    for words, command in COMMANDS.items():
        undeclared = set(path_names(command.callback)) - set(written_names(command.callback))
        assert undeclared - READ == set(), words
        assert not [each.name for each in command.params if "-o" in each.opts and each.name in undeclared], words


def test_a_word_that_may_be_a_file_is_declared_so() -> None:
    """What the help calls FILE, DIR, FOLDER or PATH is looked at, whatever its type; and a name's ending is no sign."""
    called = re.compile(r"\b(FILE|DIR|FOLDER|PATH)\b")
    for words, command in COMMANDS.items():
        told = {each.name for each in command.params if called.search(each.metavar or "")}
        assert told - set(path_names(command.callback)) == set(), words
        assert not {"base", "case", "keyword"} & set(path_names(command.callback)), words


@pytest.mark.parametrize("name", ["expected_failures.yaml", "thresholds.yaml"])
def test_the_ledger_and_the_limits_are_no_output(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("mine")
    for arguments in (["export", "baseline", "-o"], ["support", "--write", "--file"], ["parity", "--case", "a", "-o"]):
        assert main([*arguments, name]) == 2
        assert f"{name}: is read here" in capsys.readouterr().err
    assert Path(name).read_text() == "mine"


def test_a_har_does_not_replace_the_weights_beside_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made = onnx.load(str(model(Path("plain.onnx"))))
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(4, np.float32), "w"))
    made.graph.node.append(onnx.helper.make_node("Identity", ["w"], ["unused"]))
    onnx.save(made, "m.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    before = Path("w.data").read_bytes()
    assert main(["translate", "m.onnx", "--name", "net", "-o", "w.data"]) == 2
    assert "w.data: is read here" in capsys.readouterr().err
    assert Path("w.data").read_bytes() == before


def test_two_outputs_are_two_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "-o", "page.html", "--picture", "./page.html"]) == 2
    assert "would be written twice" in capsys.readouterr().err


def test_calibration_data_does_not_replace_the_arrays_it_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.npy").write_bytes(b"mine")
    assert main(["calibrate", "a.npy", "--case", "baseline", "-o", "a.other"]) == 2
    assert "a.npy: is read here" in capsys.readouterr().err


def test_a_drawing_or_a_page_may_be_written_again_where_its_input_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("store").mkdir()
    Path("store/page.html").write_text("old")
    main(["report", "--store", "store", "-o", "store/page.html"])
    assert "is read here" not in capsys.readouterr().err
