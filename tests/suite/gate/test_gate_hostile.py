"""The gate runs another revision's code: ended in time, kept from the team's store, and not simply believed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import StringStringEntryProto, TensorProto, helper

from tasnet.suite.gate import base_store
from tasnet.suite.gate.answers import SideAnswers
from tasnet.suite.gate.base_store import base_store_folder, checked_bytes, copy_graph
from tasnet.suite.gate.checkout import GateError
from tasnet.suite.run.store import Store
from tests.doubles.processes import TOKEN, left, until
from tests.doubles.repository import commit, git, settle
from tests.suite.gate.repositories import copied, gated, once, small, with_network

ONNX = f"onnx/{'0' * 64}.onnx"
CASES = {"cases": [["a", "g"], ["b", "g"], ["c", "h"]]}


def heard(*messages: object) -> SideAnswers:
    found = SideAnswers("the base", lambda _: None)
    for each in messages:
        found.add(each)  # type: ignore[arg-type]
    return found


def test_answers_that_can_be_are_taken_by_case() -> None:
    good = {"graph": "g", "artifact": ONNX, "reason": ""}
    found = heard(CASES, good, {"graph": "h", "artifact": "", "reason": "a\nline \x1b[2K" + "x" * 9000}, {"done": True})
    assert found.done
    assert found.graphs.files == {"a": ONNX, "b": ONNX}
    assert found.graphs.reasons["c"].startswith("a\\nline \\x1b[2Kx")
    assert len(found.graphs.reasons["c"]) <= 1000


BELIEVED: dict[str, tuple[object, ...]] = {
    "a path out": (CASES, {"graph": "g", "artifact": "../../../etc/passwd", "reason": ""}),
    "a path out that ends as it should": (CASES, {"graph": "g", "artifact": f"onnx/../{ONNX}", "reason": ""}),
    "an absolute path": (CASES, {"graph": "g", "artifact": f"/{ONNX}", "reason": ""}),
    "a line break after the name": (CASES, {"graph": "g", "artifact": f"{ONNX}\n", "reason": ""}),
    "another folder": (CASES, {"graph": "g", "artifact": f"files/{'0' * 64}.onnx", "reason": ""}),
    "a number as a path": (CASES, {"graph": "g", "artifact": 3, "reason": ""}),
    "a graph that nobody asked for": (CASES, {"graph": "x", "artifact": ONNX, "reason": ""}),
    "a graph twice": (CASES, *[{"graph": "g", "artifact": ONNX, "reason": ""}] * 2),
    "cases twice": (CASES, CASES),
    "a case with a line break": ({"cases": [["a\n## passed", "g"]]},),
    "a case of a megabyte": ({"cases": [["a" * 1_000_000, "g"]]},),
    "a million cases": ({"cases": [["a", "g"]] * 1_000_000},),
    "three parts": ({"cases": [["a", "g", "x"]]},),
    "done too soon": (CASES, {"done": True}),
    "not done": (CASES, {"done": False}),
    "no answer": ({},),
    "another key": ({**CASES, "verdict": "clear"},),
    "an answer after the end": ({"done": True}, CASES),
}


@pytest.mark.parametrize("messages", BELIEVED.values(), ids=BELIEVED)
def test_what_can_t_be_is_one_line(messages: tuple[object, ...]) -> None:
    with pytest.raises(GateError, match=r"^the base's code is not to be believed: ") as said:
        heard(*messages)
    assert str(said.value).isprintable()
    assert len(str(said.value)) < 400


# --- files


def graph(location: str = "", data: bytes = b"") -> bytes:
    """An ONNX file with one weight, in a file of its own if that is named."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [256], bytes(1024), raw=True)
    if location:
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.append(StringStringEntryProto(key="location", value=location))
    nodes = [helper.make_node("Identity", ["w"], ["y"])]
    made = helper.make_graph(nodes, "g", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [256])], [weight])
    return helper.make_model(made).SerializeToString() + data


def kept(own: Path, data: bytes, suffix: str = ".onnx") -> str:
    """The name in a store of a file with this content."""
    name = f"onnx/{hashlib.sha256(data).hexdigest()}{suffix}"
    (own / "onnx").mkdir(parents=True, exist_ok=True)
    (own / name).write_bytes(data)
    return name


def other_content(own: Path, name: str) -> None:
    (own / name).write_bytes(graph() + b"\x08\x07")


def gone(own: Path, name: str) -> None:
    (own / name).unlink()


def a_link(own: Path, name: str) -> None:
    (own / name).rename(own / "elsewhere")
    (own / name).symlink_to(own / "elsewhere")


def a_pipe(own: Path, name: str) -> None:
    (own / name).unlink()
    os.mkfifo(own / name)


def a_folder_that_is_a_link(own: Path, name: str) -> None:
    (own / "onnx").rename(own / "elsewhere")
    (own / "onnx").symlink_to(own / "elsewhere")


@pytest.mark.parametrize("damage", [other_content, gone, a_link, a_pipe, a_folder_that_is_a_link])
def test_a_file_that_isn_t_what_was_said_is_not_read(tmp_path: Path, damage: Callable[[Path, str], None]) -> None:
    name = kept(tmp_path, graph())
    assert checked_bytes(tmp_path, name) == graph()
    damage(tmp_path, name)
    with pytest.raises(GateError):
        checked_bytes(tmp_path, name)


def test_a_graph_comes_into_the_shared_store_with_its_weights_and_as_a_file_of_its_own(tmp_path: Path) -> None:
    own, store = tmp_path / "own", Store(tmp_path / "store")
    weights = kept(own, bytes(1024), ".bin")
    name = kept(own, graph(weights.removeprefix("onnx/")))
    copy_graph(own, name, store)
    shutil.rmtree(own)
    assert onnx.load(store.path(name)).graph.initializer[0].raw_data == bytes(1024)


@pytest.mark.parametrize("location", ["/etc/passwd", "../x.bin", f"{'0' * 63}g.bin", "weights.bin"])
def test_weights_that_lie_elsewhere_are_not_followed(tmp_path: Path, location: str) -> None:
    own, store = tmp_path / "own", Store(tmp_path / "store")
    with pytest.raises(GateError, match="no file of its folder"):
        copy_graph(own, kept(own, graph(location)), store)
    assert not list((tmp_path / "store").rglob("*.onnx"))


def test_a_file_that_is_no_graph_stays_out(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="not an ONNX file"):
        copy_graph(tmp_path / "own", kept(tmp_path / "own", b"<html>"), Store(tmp_path / "store"))


def test_the_stores_of_the_last_bases_are_kept_and_one_in_use_always(tmp_path: Path) -> None:
    with base_store_folder(tmp_path, "first") as first:
        for number in range(base_store.KEPT + 3):
            with base_store_folder(tmp_path, f"base{number}") as own:
                os.utime(own, (number, number))
        assert first.is_dir()
    assert len(list((tmp_path / "gate").iterdir())) <= base_store.KEPT + 1


# --- real code


SPOILS = """
import os, pathlib
for place in (os.environ.get("TASNET_STORE", "none"),):
    pathlib.Path(place, "spoiled").mkdir(parents=True, exist_ok=True)
"""
HOSTILE = {
    "never ends and starts what outlives it": (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "import time\ntime.sleep(600)\n",
        "its code was at work for 1 s, and was ended; ",
    ),
    "writes answers of its own": (
        f"import os, sys\n{SPOILS}\n"
        'os.write(int(sys.argv[3]), b\'{"cases": [["a", "g"]]}\\n'
        '{"graph": "g", "artifact": "../../../x.onnx", "reason": ""}\\n\')\n',
        "the base's code is not to be believed: it answers {'graph': 'g', 'artifact': '../../../x.onnx'",
    ),
    "prints escape codes and ends": ("raise SystemExit('\\x1b[2Kall is well')\n", "\\x1b[2Kall is well"),
}


def _hostile(folder: Path) -> None:
    """A repository with a branch for each."""
    small(folder)
    for number, (code, _) in enumerate(HOSTILE.values()):
        git(folder, "checkout", "--quiet", "-b", f"bad-{number}", "main")
        with_network(folder, code)
    git(folder, "checkout", "--quiet", "main")


@pytest.mark.parametrize("which", range(len(HOSTILE)), ids=HOSTILE)
def test_a_base_that_misbehaves_is_one_line_and_nothing_is_left(
    which: int, shared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = copied(once(shared_folder, "gate-hostile", _hostile), tmp_path / "repository")
    says = [*HOSTILE.values()][which][1]
    if "was at work" in says:
        settle(repository, "seconds = 1.0")
        commit(repository, "a short limit")
    store, token = tmp_path / "store", str(tmp_path)
    monkeypatch.setenv("TASNET_STORE", str(store))
    monkeypatch.setenv(TOKEN, token)
    with pytest.raises(GateError) as said:
        gated(repository, store, base=f"bad-{which}")
    assert says in str(said.value)
    assert str(said.value).isprintable(), "one line"
    assert until(lambda: not left(token))
    assert not (store / "spoiled").exists()
