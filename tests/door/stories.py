"""What somebody types who has just met tasnet, right and wrong: command, exit code, what is said, what is written."""

from __future__ import annotations

from typing import NamedTuple

CLEAR, OK, BLOCKED, WRONG = 0, 0, 1, 2
SMALL = "split-normal-polyphase-all+T=1600+N=16+B=8+H=16+Sc=8+X=2+R=1"
REAL = "project-bypass-reduced_deconv_128-k1"
LOST = "tasnet init"
"""what to do where there is no suite"""


class Step(NamedTuple):
    """One command. `written` are the names in the folder that are new after it; nothing else may change."""

    command: str
    code: int
    says: str
    written: tuple[str, ...] = ()


STORIES: dict[str, list[Step]] = {
    "asking for help": [
        Step("tasnet", WRONG, "Usage: tasnet"),
        Step("tasnet --help", OK, "Usage: tasnet"),
        Step("tasnet -h", OK, "Usage: tasnet"),
        Step("tasnet help", WRONG, "see tasnet --help"),
        Step("tasnet --version", OK, "tasnet 0."),
        Step("tasnet matrx", WRONG, "Did you mean 'matrix'?"),
        Step("tasnet ledger", WRONG, "Usage: tasnet ledger"),
        Step("tasnet ledger chek", WRONG, "Did you mean 'check'"),
        Step("tasnet plan", WRONG, "Usage: tasnet plan"),
        Step("tasnet export --help", OK, "Example: tasnet export"),
        Step("tasnet export", WRONG, "see tasnet export --help"),
    ],
    "a network by hand": [
        Step(f"tasnet export {SMALL} -o small.onnx", OK, "another function", ("small.onnx",)),
        Step(f"tasnet export {REAL} -o real.onnx", OK, f"real.onnx: {REAL}", ("real.onnx",)),
        Step("tasnet check small.onnx", CLEAR, "clear on hailo8: predicted by the embedded toolchain, not observed"),
        Step("tasnet check real.onnx", BLOCKED, "predicted blocker: reshape_insertion at compile"),
        Step("tasnet check small.onnx real.onnx", BLOCKED, "real.onnx: blocked on hailo8"),
        Step("tasnet check small.onnx --json", CLEAR, '"verdict": "clear"'),
        Step("tasnet check real.onnx --arch hailo8l", BLOCKED, "blocked on hailo8l"),
        Step("tasnet translate small.onnx -o small.har", OK, "by the embedded translator: predicted", ("small.har",)),
        Step("tasnet check small.har", CLEAR, "clear on hailo8"),
        Step("tasnet inspect small.har", OK, "input_layer1"),
        Step("tasnet inspect small.onnx", OK, "input_layer1"),
        Step("tasnet check missing.onnx", WRONG, "missing.onnx: no such file"),
        Step("tasnet check .", WRONG, "a directory"),
        Step("tasnet check notes.txt", WRONG, "notes.txt"),
        Step("tasnet check small.onnx --arch hailo9", WRONG, "one of hailo8, hailo8l, hailo8r"),
        Step("tasnet translate small.onnx -o small.onnx", WRONG, "would be lost"),
        Step("tasnet translate missing.onnx -o new.har", WRONG, "no such file"),
        Step("tasnet inspect", WRONG, "Missing argument 'FILE'"),
    ],
    "names of cases": [
        Step("tasnet matrix --list", OK, "concat-normal-grouped-all"),
        Step("tasnet matrix --list --profile notes", OK, "project-bypass"),
        Step("tasnet matrix --list --profile trained", OK, "exact"),
        Step("tasnet matrix --list --case baseline", OK, "concat-normal-grouped-all"),
        Step("tasnet matrix --list --case basline", WRONG, "did you mean baseline?"),
        Step("tasnet matrix --list --profile nothing", WRONG, "one of matrix, notes, probes"),
        Step("tasnet matrix --list --arch hailo9", WRONG, "one of hailo8, hailo8l, hailo8r"),
        Step("tasnet matrix --profil notes", WRONG, "--profile"),
        Step("tasnet export concat-normal-grouped-k99 -o x.onnx", WRONG, "the network has 24 blocks"),
        Step(
            "tasnet export concat-normal-groupd-all -o x.onnx", WRONG, "decoder=groupd: unknown value; one of grouped"
        ),
        Step("tasnet export baseline -o nowhere/x.onnx", WRONG, "no directory nowhere; make it first"),
        Step("tasnet export baseline --checkpoint missing.pth -o x.onnx", WRONG, "missing.pth: no such file"),
        Step("tasnet export baseline --checkpoint notes.txt -o x.onnx", WRONG, "notes.txt"),
    ],
    "a plan": [
        Step(f"tasnet plan make {SMALL} -o plan", OK, "nothing was measured", ("plan",)),
        Step("tasnet plan show plan", OK, "null plan"),
        Step("tasnet plan show missing", WRONG, "missing: no such file; name a plan.json"),
        Step("tasnet plan run plan --mix missing.wav -o out", WRONG, "missing.wav: no such file; name a wav"),
        Step("tasnet plan run plan --mix notes.txt -o out", WRONG, "notes.txt"),
        Step("tasnet plan make --seconds 2 -o other", WRONG, "no case and no --checkpoint; give one of them"),
        Step("tasnet plan make nothing -o other", WRONG, "neither an id"),
    ],
    "outside of a suite": [
        Step("tasnet matrix", WRONG, LOST),
        Step("tasnet ledger check", WRONG, LOST),
        Step("tasnet compare", WRONG, LOST),
        Step("tasnet trend wide-row-agent", WRONG, LOST),
        Step("tasnet report -o report.html", WRONG, LOST),
        Step("tasnet support --check", WRONG, LOST),
        Step("tasnet gate --base main", WRONG, "not a git checkout"),
        Step("tasnet matrix --store notes.txt", WRONG, "--store notes.txt: not a directory"),
        Step("tasnet parity", WRONG, "see tasnet parity --help"),
        Step("tasnet parity --case nothing -o p.html", WRONG, "neither an id"),
        Step("tasnet isolate missing.onnx -o cut", WRONG, "missing.onnx"),
        Step("tasnet classify missing.log", WRONG, "missing.log: no such file; name a log"),
        Step("tasnet import-runs missing", WRONG, "missing: no such folder or file"),
        Step("tasnet evidence import missing.json", WRONG, "missing.json: no such file"),
        Step("tasnet suggest --hours x", WRONG, "'--hours'"),
        Step("tasnet sweep --until soon", WRONG, "--until soon: unknown"),
        Step("tasnet listen -o notes.txt", WRONG, "notes.txt: a file; name a folder"),
        Step("tasnet listen --mix missing.wav -o heard", WRONG, "missing.wav: no such file; name a wav"),
        Step("tasnet calibrate missing --case baseline", WRONG, "missing"),
    ],
    "a suite of one's own": [
        Step("tasnet init suite", OK, "expected_failures.yaml", ("suite",)),
        Step("tasnet init suite", OK, "there"),
        Step("tasnet ledger check --root suite", OK, "5 entries: nothing wrong"),
        Step("tasnet ledger explain baseline --root suite", OK, "claimed by grouped-super-deconv"),
        Step("tasnet ledger explain basline --root suite", WRONG, "did you mean baseline?"),
        Step("tasnet runs --root suite", OK, "no run is stored there"),
        Step("tasnet compare --root suite", WRONG, "no run is stored there"),
        Step("tasnet report --root suite -o report.html", WRONG, "tasnet matrix"),
    ],
}
"""a story -> its commands, one after the other in one folder that has a notes.txt"""
