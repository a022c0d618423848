"""What tasnet prints is readable in every encoding: its own signs in ASCII, nothing as a crash or a question mark."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tasnet
from tasnet.cli import main
from tasnet.common.plain_signs import SIGNS, in_ascii, write_plainly

PACKAGE = Path(tasnet.__file__).parent


def written(text: str, encoding: str, **environment: str) -> bytes:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    write_plainly(stream, environment)
    stream.write(text)
    stream.flush()
    return raw.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437", "utf-8", "utf-16"])
@settings(max_examples=25)
@given(text=st.text())
def test_any_text_can_be_written_in_any_encoding(encoding: str, text: str) -> None:
    text = text.replace("\n", "")
    shown = written(text, encoding).decode(encoding)
    assert shown == text or "utf" not in encoding


def test_an_encoding_that_has_a_sign_writes_the_sign() -> None:
    assert written("conv2 … (24) ●", "cp1252") == "conv2 … (24) o".encode("cp1252")
    assert written("conv2 … ≠ ü", "ascii") == b"conv2 ... != \\xfc"
    assert written("conv2 … ≠ ü", "utf-8") == "conv2 … ≠ ü".encode()


C = "C.UTF-8"


@pytest.mark.parametrize(
    ("environment", "ascii_only"),
    [
        ({"LANG": "C"}, True),
        ({"LANG": "POSIX"}, True),
        ({"LANG": "C", "LC_CTYPE": C}, True),  # as Python leaves it (PEP 538)
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "", "LANG": "C"}, True),
        ({"LC_CTYPE": "POSIX", "LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "de_DE.UTF-8", "LANG": "C"}, False),
        ({"LC_CTYPE": "de_DE.UTF-8", "LANG": "C"}, False),
        ({"LANG": C}, False),
        ({}, False),
        ({"LANG": "C", "PYTHONIOENCODING": "utf-8"}, False),
        ({"LANG": "C", "PYTHONUTF8": "1"}, False),
    ],
)
def test_the_locale_named_c_means_ascii_and_what_python_was_told_goes_before_it(
    environment: dict[str, str], ascii_only: bool
) -> None:
    assert written("…", "utf-8", **environment) == (b"..." if ascii_only else "…".encode())


def test_every_sign_that_the_package_prints_has_one_in_ascii() -> None:
    used = {
        sign
        for path in PACKAGE.rglob("*.py")
        if path.name not in ("plain_signs.py",)
        for sign in re.findall(r"[^\x00-\x7f]", path.read_text(encoding="utf-8"))
    }
    assert used <= SIGNS.keys()
    assert all(each.isascii() for each in SIGNS.values())


def test_a_command_prints_ascii_to_a_stream_of_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["compare", "last", "last", "--store", "…ü"]) == 2
    sys.stderr.flush()
    assert raw.getvalue().isascii()
    assert b"\\xfc" in raw.getvalue()


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"LANG": "C"}, {"PYTHONIOENCODING": "cp1252"}])
def test_a_real_process_in_such_a_locale_speaks_so(environment: dict[str, str]) -> None:
    program = "from tasnet.common import write_plainly; import sys; write_plainly(sys.stdout); print('● … ≠ ü')"
    outside = {name: value for name, value in os.environ.items() if not re.match("LANG|LC_|PYTHON", name)}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**outside, **environment, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        check=True,
    )
    assert ran.stdout.strip() == (
        "o … != ü".encode("cp1252") if "PYTHONIOENCODING" in environment else b"o ... != \\xfc"
    )


def test_text_in_ascii() -> None:
    assert in_ascii("7 … 8 × 9 ≥") == "7 ... 8 x 9 \\u2265"
