"""The gate beside a full matrix from an empty store: nothing changed, a comment, one layer more.

    python -m benchmarks.gate

Every ratio is of two figures of this one run. The base's graphs are known to the store, as they are to a team's.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe, timed
from tests.doubles.repository import changed, git, made, tasnet

NETWORK = "tasnet/network/convtasnet.py"
LAYER = (
    (
        '        self.norm = _norm(variant, weights, "masker.bottleneck.0")\n',
        '        self.norm = _norm(variant, weights, "masker.bottleneck.0")\n'
        "        self.extra = Conv(variant.layout, torch.eye(size.B)[:, :, None], torch.zeros(size.B))\n",
    ),
    ("        skips = None\n", "        stream = self.extra(stream)\n        skips = None\n"),
)
CHANGES = {
    "a comment": (NETWORK, (("class TcnBlock(nn.Module):", "# a comment\nclass TcnBlock(nn.Module):"),)),
    "one layer more, 266 graphs": (NETWORK, LAYER),
}


def main() -> None:
    print(describe())
    run = [
        "-m",
        "pytest",
        "-p",
        "no:logging",
        "-m",
        "compile",
        "tests/compile",
        "--tasnet-profile",
        "matrix",
        "-q",
        "-n",
        "2",
    ]
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store")
        matrix = timed([*run, "--tasnet-store", str(store)]).seconds
        print(f"matrix, empty store, 2 processes    {matrix:.1f} s")
        repository = made(Path(folder, "repository"))
        _gate("other files alone", repository, store, matrix)
        for parity in (0, 6):
            for name, (file, replacements) in CHANGES.items():
                git(repository, "checkout", "--quiet", "-B", "change", "main")
                changed(repository, "pyproject.toml", ("parity_graphs = 6", f"parity_graphs = {parity}"))
                changed(repository, file, *replacements)
                _gate(f"{name}, parity of {parity}", repository, store, matrix)


def _gate(name: str, repository: Path, store: Path, matrix: float) -> None:
    started = time.perf_counter()
    done = tasnet(repository, "gate", "--base", "main", "--store", str(store), "-n", "2")
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    print(f"gate: {name:<45} {seconds:6.1f} s   {seconds / matrix:.2f} of the matrix")


if __name__ == "__main__":
    sys.exit(main())
