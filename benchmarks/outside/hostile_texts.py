"""Hostile ids, ledgers, thresholds, settings and old runs: each ends in one line and exit 0, 1 or 2, soon and small.

Each is given to the command that a person would give it to, in a process of its own with the time and memory that are
the goal. `pieces` writes them; nothing is kept.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

Text = tuple[str, Callable[[], str]]
"""a text's name, and what makes it: some have 50 MB"""

SECONDS, BYTES = 20, 2 << 30
"""what no hostile text may take"""

HEAD = "schema: 1\nbudget: 9\nowner: the team\nentries:\n"


@dataclass(frozen=True)
class Piece:
    """A hostile text: its kind, its name, and the words after `tasnet` that read it."""

    kind: str
    name: str
    words: tuple[str, ...]
    folder: Path
    """where the command is given"""


@dataclass(frozen=True)
class Tried:
    """How a command ended."""

    piece: Piece
    code: int | None
    """None where it was killed: out of time or of memory"""
    seconds: float
    peak_bytes: int
    said: str

    @property
    def told(self) -> bool:
        """Whether it ended in an answer or in one line of its own."""
        lines = self.said.strip().splitlines()
        short = len(lines) == 1 and len(self.said) < 2000
        return self.code in (0, 1) or (self.code == 2 and short and "Traceback" not in self.said)


def entry(**changed: str) -> str:
    """One entry of a ledger, with some of its values written otherwise."""
    values = {
        "id": "one",
        "summary": "a summary",
        "where": "{decoder: grouped}",
        "stage": "compile",
        "family": "unsupported_kernel",
        "message": "'Super deconv'",
        "toolchain": '{reference: "*"}',
        "arch": "[hailo8]",
        "evidence": "somewhere",
        "since": "2026-02-17",
        "review": "2127-02-17",
    }
    lines = [f"    {key}: {value}" for key, value in {**values, **changed}.items()]
    return "  - " + "\n".join(lines).lstrip() + "\n"


def ids() -> Iterator[Text]:
    """Name and id of cases whose sizes are past reason."""
    usual = "concat-normal-grouped-all"
    for part in ("T=1" + "0" * 21, "X=5000", "N=100000000", "n_src=1000000", "R=64+X=16", "P=" + "9" * 300 + "1"):
        yield part[:20], lambda part=part: f"{usual}+{part}"
    yield "every size at its largest", lambda: f"{usual}+N=8192+L=1024+B=8192+H=8192+Sc=8192+P=127+X=16+R=64+n_src=16"
    yield "weights near the bound", lambda: f"{usual}+N=2048+B=512+H=2048+Sc=512+X=8+R=2+T=4000"
    yield "a window past memory", lambda: f"{usual}+T=100000000+N=1+B=1+H=1+Sc=1+L=2"
    yield "blocks", lambda: "concat-normal-grouped-k999999999"
    yield "blocks of 4000 digits", lambda: "concat-normal-grouped-k" + "9" * 4000
    yield "a megabyte", lambda: "concat-normal-grouped-al" * 40_000
    yield "escape codes", lambda: "concat-normal-grouped-all\x1b[2K\nclear on hailo8"


def ledgers() -> Iterator[Text]:
    """Name and text of ledgers."""
    yield "a message that backtracks", lambda: HEAD + entry(message="'(a+)+(a+)+(a+)+$'", summary="a" * 60)
    yield "a message of repeats of repeats", lambda: HEAD + entry(message="'((a{0,999}){0,999}){0,999}'")
    yield "a lookahead", lambda: HEAD + entry(message="'(?=a)'")
    yield "100,000 layers", lambda: HEAD + entry(layers="[" + ",".join(f"conv{n}" for n in range(100_000)) + "]")
    yield (
        "100,000 layers, a line each",
        lambda: HEAD + entry(layers="".join(f"\n      - conv{n}" for n in range(100_000))),
    )
    yield "2,000 layers", lambda: HEAD + entry(layers="[" + ",".join(f"conv{n}" for n in range(2000)) + "]")
    yield "50 MB of comments", lambda: "# a comment\n" * 4_500_000 + HEAD + entry()
    yield "900 KB of comments", lambda: "# a comment\n" * 75_000 + HEAD + entry()
    yield "nested lists", lambda: HEAD + entry(layers="[" * 100_000)
    yield "nested maps", lambda: HEAD + entry(where="{not: " * 900 + "{}" + "}" * 900)
    yield "nested as deep as the reader goes", lambda: HEAD + entry(where="{not: " * 150 + "{}" + "}" * 150)
    bomb = "\n".join(f"  x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 9))
    yield "a billion aliases", lambda: f"a:\n  x0: &x0 [a]\n{bomb}\n{HEAD}{entry(layers='*x8')}"
    yield "an alias in its own anchor", lambda: HEAD + entry(where="&a {not: *a}")
    yield "a summary of a megabyte", lambda: HEAD + entry(summary="x" * 900_000)
    yield "a URL that backtracks", lambda: HEAD + entry(issue=f"'https://{'a' * 100_000} '")
    yield "a glob that backtracks", lambda: HEAD + entry(layers=f"['{'*a' * 900}b']")
    yield "a number of a million digits", lambda: HEAD.replace("budget: 9", f"budget: 0x{'f' * 900_000}") + entry()
    yield "a key of a million digits", lambda: HEAD + entry(where=f"{{0x{'f' * 900_000}: 1}}")
    yield "a comparison of 5,000 digits", lambda: HEAD + entry(where=f"{{T: '>={'9' * 1500}'}}")
    yield "versions past reason", lambda: HEAD + entry(toolchain=f"{{dfc: '{'>=1.0,' * 300}<2'}}")
    yield "a day that is none", lambda: HEAD + entry(since="2026-02-30")
    yield "a tag that fails", lambda: HEAD + entry(budget="!!bool maybe")
    yield "a tag of Python's", lambda: HEAD + entry(summary="!!python/object/apply:os.system ['true']")
    yield "escape codes in an id", lambda: HEAD + entry(id='"\\e[2K\\nclear on hailo8"')
    yield "UTF-16", lambda: "\ufeff" + HEAD + entry()
    yield "2,500 entries", lambda: HEAD.replace("9", "2500") + "".join(entry(id=f"e{n}") for n in range(2500))
    yield "900 entries", lambda: HEAD.replace("9", "900") + "".join(entry(id=f"e{n}") for n in range(900))
    yield "nothing", lambda: ""


def thresholds() -> Iterator[Text]:
    """Name and text of thresholds.yaml."""
    head = "schema: 1\nmargin_db: {onnx: 1.0}\nthresholds:\n"

    def limit(**changed: str) -> str:
        values = {"stage": "onnx", "form": "any", "T": "any", "snr_db": "90", "of_peak": "1e-5", "measured": "null"}
        return "  - {" + ", ".join(f"{key}: {value}" for key, value in {**values, **changed}.items()) + "}\n"

    bomb = "\n".join(f"  x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 9))
    for key in ("stage", "T", "snr_db", "form"):
        yield f"a billion aliases as {key}", lambda key=key: f"a:\n  x0: &x0 [a]\n{bomb}\n{head}{limit(**{key: '*x8'})}"
        yield f"a million digits as {key}", lambda key=key: head + limit(**{key: f"0x{'f' * 900_000}"})
    yield "a billion aliases as the schema", lambda: f"a:\n  x0: &x0 [a]\n{bomb}\nschema: *x8\n"
    yield "a count that is none", lambda: head + limit(measured="{cases: many}")
    yield "a count past reason", lambda: head + limit(measured="{cases: .inf}")
    yield "nested without end", lambda: head + "  - " + "[" * 100_000
    yield "100,000 limits", lambda: head + limit() * 100_000
    yield "a day that is none", lambda: head + limit(measured="{date: 2026-02-30, cases: 1}")
    yield "50 MB of comments", lambda: "# a comment\n" * 4_500_000 + head


def settings() -> Iterator[Text]:
    """Name and text of a pyproject.toml with limits."""
    table = "[tool.tasnet.limits]\n"
    yield "nested without end", lambda: table + "compile = " + "[" * 100_000
    yield "tool is no table", lambda: "tool = 3\n"
    yield "tasnet is a list", lambda: "[[tool.tasnet]]\n"
    yield "a limit past reason", lambda: table + f"compile = {{ seconds = 1{'0' * 4000} }}\n"
    yield "a limit of a million digits", lambda: table + f"compile = {{ seconds = 0x{'f' * 900_000} }}\n"
    yield "memory past reason", lambda: table + f"compile = {{ memory = '{'9' * 5000} GiB' }}\n"
    yield "not a number", lambda: table + "compile = { seconds = nan }\n"
    yield "50 MB of comments", lambda: "# a comment\n" * 4_500_000
    yield "a name of a megabyte", lambda: table + "x" * 900_000 + " = 1\n"
    yield "UTF-16", lambda: "\ufeff" + table


TABLE = "run_tag\thar_success\thef_success\texport_flags\n"


def old_runs() -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Name and writer of a folder of night runs."""

    def table(text: str) -> Callable[[Path], None]:
        return lambda folder: _written(folder / "summary.tsv", text)

    columns = "\t".join(f"c{n}" for n in range(200_000))
    yield "200,000 columns", table(f"run_tag\thar_success\thef_success\t{columns}\nbaseline\tTrue\tFalse\n")
    yield "columns of a megabyte each", table("x" * (3 << 20) + "\n" + TABLE)
    yield "a row longer than a line may be", table(TABLE + "baseline\tTrue\t" + "x" * (3 << 20) + "\n")
    yield "a tag of a megabyte", table(TABLE + "b" * 900_000 + "\tTrue\tFalse\t\n")
    yield "50,000 rows that no case has", table(TABLE + "".join(f"tag-{n}\tTrue\tFalse\t\n" for n in range(50_000)))
    yield "5,000 rows that no case has", table(TABLE + "".join(f"tag-{n}\tTrue\tFalse\t\n" for n in range(5000)))
    yield "sizes past reason", table(TABLE + f"baseline+T=1{'0' * 30}\tTrue\tFalse\t\n")
    yield "escape codes", table(TABLE + "\x1b[2Kbaseline\tTrue\tFalse\t\n")
    yield "a table of 100 MB", lambda folder: _sparse(folder / "summary.tsv", 100 << 20)
    yield "a pipe as the table", lambda folder: os.mkfifo(folder / "summary.tsv")
    yield "a device as the table", lambda folder: (folder / "summary.tsv").symlink_to("/dev/zero")

    def beside(name: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            _written(folder / "summary.tsv", f"{TABLE}baseline\tTrue\tFalse\t\n")
            (folder / "20260217_010203").mkdir()
            make(folder / "20260217_010203" / name)

        return write

    yield "a pipe as the log", beside("baseline.log", os.mkfifo)
    yield "a device as the log", beside("baseline.log", lambda path: path.symlink_to("/dev/zero"))
    yield "a log of 4 GB", beside("baseline.log", lambda path: _sparse(path, 4 << 30))
    yield "a pipe as the failure", beside("baseline.failure.txt.json", os.mkfifo)
    yield "a failure of 4 GB", beside("baseline.failure.txt.json", lambda path: _sparse(path, 4 << 30))
    nested = '{"exception_message": "x", "failures": ' + "[" * 100_000 + "}"
    yield "a failure nested without end", beside("baseline.failure.txt.json", lambda path: _written(path, nested))
    odd = json.dumps({"exception_message": "x", "exception_type": ["x"] * 9, "negexp": {"data_bits": {}}})
    yield "a failure of other types", beside("baseline.failure.txt.json", lambda path: _written(path, odd))

    def crowded(folder: Path) -> None:
        rows = "".join(f"baseline\tTrue\tFalse\tx{n}\n" for n in range(2000))
        _written(folder / "summary.tsv", TABLE + rows)
        for number in range(2000):
            (folder / f"{number:08d}_000000").mkdir()

    yield "2,000 rows and 2,000 folders", crowded


def pieces(folder: Path) -> Iterator[Piece]:
    """Everything, written below the folder."""
    for name, text in ids():
        yield Piece("id", name, ("export", text(), "-o", "x.onnx"), folder)
    kinds: Sequence[tuple[str, str, tuple[str, ...], Callable[[], Iterator[Text]]]] = (
        ("ledger", "ledger.yaml", ("ledger", "check", "--ledger", "ledger.yaml"), ledgers),
        (
            "thresholds",
            "thresholds.yaml",
            ("thresholds", "check", "--file", "thresholds.yaml", "--store", "store"),
            thresholds,
        ),
        (
            "settings",
            "pyproject.toml",
            ("sweep", "--profile", "notes", "--store", "store", "--toolchain", "dfc"),
            settings,
        ),
    )
    for kind, file, words, texts in kinds:
        for number, (name, text) in enumerate(texts()):
            place = folder / f"{kind}-{number}"
            _written(place / file, text(), "utf-16-le" if name == "UTF-16" else "utf-8")
            yield Piece(kind, name, words, place)
    for kind, target in (("a pipe", None), ("a device", "/dev/zero"), ("a directory", "/")):
        place = folder / f"special-{kind.split()[-1]}"
        place.mkdir()
        if target:
            (place / "ledger.yaml").symlink_to(target)
        else:
            os.mkfifo(place / "ledger.yaml")
        yield Piece("ledger", kind, ("ledger", "check", "--ledger", "ledger.yaml"), place)
    for number, (name, write) in enumerate(old_runs()):
        place = folder / f"runs-{number}"
        place.mkdir()
        write(place)
        yield Piece("old runs", name, ("import-runs", ".", "--store", "store"), place)


def tried(piece: Piece) -> Tried:
    """Gives the piece to its command, in a fork of this process."""
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        child = os.fork()
        if not child:
            _be_the_command(piece, said.fileno())
        _, status, used = os.wait4(child, 0)
        said.seek(0)
        text = said.read(1 << 20).decode(errors="replace")
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    return Tried(piece, code, time.monotonic() - began, used.ru_maxrss << 10, text)


def _be_the_command(piece: Piece, said: int) -> None:
    from tasnet.cli import main

    code = 70
    try:
        os.chdir(piece.folder)
        os.dup2(said, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        # The memory of the kernel's own account; beyond it an allocation fails. Torch maps more than it uses.
        resource.setrlimit(resource.RLIMIT_DATA, (3 * BYTES, 3 * BYTES))
        signal.alarm(SECONDS)
        code = main([*piece.words])
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def figures() -> list[str]:
    """What was tried, and how much of it ended otherwise than in an answer or one line."""
    import tasnet.cli  # noqa: F401  (imported before the forks)

    with tempfile.TemporaryDirectory() as folder:
        all_tried = [tried(piece) for piece in pieces(Path(folder))]
    kinds = Counter(each.piece.kind for each in all_tried)
    untold = [each for each in all_tried if each.code is not None and not each.told]
    large = [each for each in all_tried if each.peak_bytes > BYTES]
    late = [each for each in all_tried if each.code is None or each.seconds > SECONDS]
    slowest, largest = max(all_tried, key=lambda e: e.seconds), max(all_tried, key=lambda e: e.peak_bytes)
    return [
        f"{len(all_tried)} hostile texts tried: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}",
        f"{len(untold)} ended in a traceback or more than one line {_named(untold)}(goal 0)",
        f"{len(large)} took more than 2 GB {_named(large)}(goal 0); the largest {largest.peak_bytes >> 20} MiB: "
        f"{largest.piece.kind}, {largest.piece.name}",
        f"{len(late)} took more than {SECONDS} s {_named(late)}(goal 0); the longest {slowest.seconds:.1f} s: "
        f"{slowest.piece.kind}, {slowest.piece.name}",
    ]


def _named(found: Sequence[Tried]) -> str:
    return "".join(f"[{each.piece.kind}: {each.piece.name}] " for each in found)


def _written(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)
