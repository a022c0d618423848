"""python -m benchmarks.train.ship FOLDER: puts a finished training into the package: weights, card, log, curve, voices.

The voices are sentences that no training heard, of flite's speakers alone: their terms let them ship.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from benchmarks.train.corpus import HELD_OUT, SENTENCES, Spoken, corpus
from benchmarks.train.fit import Plan
from benchmarks.train.separator import count
from benchmarks.train.voices import SPEAKERS
from tasnet.common import TasnetError, error_line, write_whole
from tasnet.network import load_checkpoint
from tasnet.network.shipped import FOLDER
from tasnet.suite.numerics.speech import RATE, SHIPPED

SECONDS = 16
"""of each voice that ships"""
MOST_BYTES = 2_000_000
"""of the weights"""

TERMS = {
    "flite": "free use, change and sale; notice kept, changes marked, no endorsement (Carnegie Mellon University)",
    "espeak-ng": "GPL 3 or later",
    "festvox-kdlpc16k": "as flite's (University of Edinburgh)",
    "festvox-italp16k": "GPL 2 or later",
    "festvox-itapc16k": "GPL 2 or later",
    "festvox-ca-ona-hts": "LGPL 2.1 or later",
    "festvox-czech-dita": "GPL 3 or later",
    "festvox-czech-krb": "GPL 3 or later",
    "festvox-czech-machac": "GPL 3 or later",
    "festvox-czech-ph": "GPL 2 or later",
    "festvox-suopuhe-lj": "LGPL 2 or later",
    "festvox-suopuhe-mv": "LGPL 2 or later",
    "festvox-hi-nsk": "GPL 2 or later",
    "festvox-ru": "as flite's (N. V. Shmyrev)",
}
"""What each Debian package's copyright file states of the voice in it."""


def main(arguments: list[str]) -> int:
    """2 for a training that isn't finished."""
    try:
        (folder,) = map(Path, arguments)
        _ship(folder)
    except (TasnetError, OSError, ValueError) as error:
        print(f"benchmarks.train.ship: {error_line(error)}", file=sys.stderr)
        return 2
    return 0


def _ship(folder: Path) -> None:
    weights = (folder / "small.pth").read_bytes()
    if len(weights) > MOST_BYTES:
        raise ValueError(f"{folder}/small.pth: {len(weights)} bytes, at most {MOST_BYTES} ship")
    figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    spoken = corpus(folder / "corpus")
    target = FOLDER / "small.pth"
    write_whole(target, weights)
    log = (folder / "log.jsonl").read_bytes()
    write_whole(target.with_suffix(".log.jsonl"), log)
    write_whole(target.with_suffix(".png"), (folder / "curve.png").read_bytes())
    write_whole(target.with_suffix(".md"), card(figures, log.decode(), target).encode())
    for path in SHIPPED:
        _write_voice(spoken[path.stem], path)


def card(figures: dict[str, dict[str, float]], log: str, weights: Path) -> str:
    """What was trained, on what, and how well it separates."""
    found, lines = load_checkpoint(weights), [json.loads(line) for line in log.splitlines()]
    plan, names = Plan(), ("N", "L", "B", "H", "Sc", "P", "X", "R")
    voices = {package: [each.name for each in SPEAKERS if each.package == package] for package in TERMS}
    values = {
        "size": " ".join(f"{name}{getattr(found.size, name)}" for name in names),
        "count": f"{count(found.size):,}",
        "bytes": f"{weights.stat().st_size:,}",
        "rate": RATE,
        "rows": "\n".join(
            f"| {name} | {each['mixtures']} | {each['si_sdri_db']:.1f} |" for name, each in figures.items()
        ),
        "steps": f"{lines[-1]['step']:,} of {plan.steps:,}",
        "batch": plan.batch,
        "seconds": f"{plan.seconds:g}",
        "highest": f"{plan.rate:g}",
        "seed": plan.seed,
        "minutes": f"{lines[-1]['seconds'] / 60:.0f}",
        "machine": describe().partition(", load")[0],
        "checks": len(lines),
        "best": f"{max(lines, key=lambda line: line['validation_db'])['step']:,}",
        "sentences": SENTENCES,
        "voices": len(SPEAKERS),
        "heard": SENTENCES - HELD_OUT,
        "trained": ", ".join(each.name for each in SPEAKERS if each.role == "train"),
        "held": " and ".join(each.name for each in SPEAKERS if each.role == "held_out"),
        "held_out": HELD_OUT,
        "terms": "\n".join(f"| {', '.join(voices[name])} | `{name}` | {TERMS[name]} |" for name in TERMS),
        "shipped": ", ".join(path.stem for path in SHIPPED),
    }
    return CARD.format(**values)


CARD = """# tasnet:small

A Conv-TasNet that separates two voices: gLN and PReLU, {size},
{count} parameters, {rate} Hz, in Asteroid's layout ({bytes} bytes). It is small so that it can ship and its
figures take seconds: it shows what an export, a rewrite or 8 bits do to a network that separates. It is no product.

| mixtures of 4 s, none of them heard in training | number | SI-SDRi, dB |
|---|---|---|
{rows}

It was trained on synthetic voices alone. Real ones are another matter, as the last row says.

## Training

`python -m benchmarks.train FOLDER` with seed {seed}: {steps} steps of Adam, {batch} mixtures of {seconds} s in each,
highest rate {highest}; the loss is SI-SDR over the better of both pairings. {minutes} minutes on two cores that other
work shared ({machine}). The weights are the best of
{checks} checks, at step {best}, on held-out sentences of known voices: the table's sentences, in other mixtures.
[The log](small.log.jsonl), and as a picture:

![SI-SDR over steps](small.png)

## Data

{sentences} sentences by each of {voices} voices, made of random words (of syllables where a voice has no English),
spoken by programs of Debian and resampled to {rate} Hz.

- Heard in training: the first {heard} sentences of {trained}.
- Held out: the last {held_out} of each, and all of {held}.
- Real voices: `pocketsphinx-testdata` (BSD, 2 clauses), for the table's last row alone.
- Words: `wamerican` (SCOWL: free use of the list and of what is made with it, its notice kept).

What the packages' copyright files state of programs and voices; of speech that is made with them they say nothing:

| voices | package | terms |
|---|---|---|
{terms}

No recording is in the weights' file. The wavs in `suite/numerics/voices` are held-out sentences of {shipped}, as flite
speaks them (copyright 1999-2001 Language Technologies Institute, Carnegie Mellon University), at {rate} Hz.
"""


def _write_voice(spoken: Spoken, path: Path) -> None:
    """Held-out sentences one after the other, at half of full scale."""
    import soundfile  # type: ignore[import-untyped, unused-ignore]

    wave = np.concatenate(spoken.held_out)[: SECONDS * RATE]
    soundfile.write(str(path), wave * (0.5 / np.abs(wave).max()), RATE, subtype="PCM_16")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
