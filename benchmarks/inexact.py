r"""What each inexact form costs `tasnet:small` in dB of separation: its weights kept, and after a short training in it.

python -m benchmarks.inexact [FOLDER] [--write]

A form's short training is
    python -m benchmarks.train FOLDER/NAME --corpus FOLDER/corpus --checkpoint tasnet:small --form CASE \
        --steps 1300 --rate 5e-4
five minutes on two quiet cores; the first one speaks the recordings of all, another eight.
`python -m benchmarks.inexact --list FOLDER` prints the commands. Without it a row has the first figure alone. Judged on
the mixtures that come with the package, none of which was heard in any training.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.page import write_figures
from benchmarks.train.score import score
from benchmarks.train.separator import TRAINED, Form, leaves
from tasnet.network import SMALL, Checkpoint, Variant, checkpoint_file, load_checkpoint
from tasnet.suite.cases import Case
from tasnet.suite.numerics.separation import judged_mixtures

PAGE = Path(__file__).resolve().parents[1] / "docs" / "inexact-forms.md"

FORMS: dict[str, dict[str, str | int]] = {
    "ReLU for PReLU": {"activation": "relu"},
    "norms by channel": {"norm": "channel"},
    "norms by frame (cLN)": {"norm": "cln"},
    "norms up to now (cgLN)": {"norm": "cgln"},
    "norms without statistics (affine)": {"norm": "affine"},
    "no norms": {"norm": "identity"},
    "ReLU, and no norms": {"activation": "relu", "norm": "identity"},
    "no skip connections": {"skip": "off"},
    "8 of 12 blocks": {"blocks": 8},
    "4 of 12 blocks": {"blocks": 4},
    "reduced decoder, 128 channels": {"decoder": "reduced_deconv_128"},
    "reduced decoder, 64 channels": {"decoder": "reduced_deconv_64"},
}
"""what is another function than the trained one; a reduced decoder has no weights to keep: its head is drawn"""


def main(arguments: list[str]) -> int:
    """2 for wrong usage."""
    options = [each for each in arguments if each.startswith("-")]
    folders = [Path(each) for each in arguments if not each.startswith("-")]
    if len(folders) > 1 or set(options) - {"--write", "--list"}:
        print("benchmarks.inexact: [FOLDER] [--write] or --list", file=sys.stderr)
        return 2
    if "--list" in options:
        print("\n".join(commands(folders[0] if folders else Path("FOLDER"))))
        return 0
    torch.set_num_threads(1)
    table = []
    for line in lines(folders[0] if folders else None):
        print(line, flush=True)
        table.append(f"{line}\n")
    if "--write" in options:
        write_figures(PAGE, "".join(table))
    return 0


def commands(folder: Path) -> Iterator[str]:
    """The short training of each form."""
    for name, axes in FORMS.items():
        yield (
            f"python -m benchmarks.train {folder / folder_name(name)} --corpus {folder / 'corpus'} "
            f"--checkpoint {SMALL} --form {Case(form_of(axes)).id} --steps 1300 --rate 5e-4"
        )


def lines(folder: Path | None) -> Iterator[str]:
    """The table, in Markdown."""
    trained = load_checkpoint(checkpoint_file(SMALL))
    sources = np.stack([each.sources for each in judged_mixtures()])
    exact = improvement(TRAINED, trained, sources)
    yield f"`{SMALL}` as trained: {exact:.1f} dB SI-SDRi on {len(sources)} mixtures of 2 s."
    yield ""
    yield "| form | weights kept, dB | lost, dB | after 1,300 steps in this form, dB |"
    yield "|---|---|---|---|"
    for name, axes in FORMS.items():
        variant = form_of(axes)
        kept = improvement(variant, trained, sources)
        shown = f"{kept:.1f} | {exact - kept:.1f}"
        if "decoder" in axes:
            shown = f"none to keep (drawn: {kept:.1f}) |"
        yield f"| {name} | {shown} | {after(folder, name, variant, sources)} |"


def after(folder: Path | None, name: str, variant: Variant, sources: np.ndarray) -> str:
    """The figure of the short training in this form, if there was one."""
    path = folder / folder_name(name) / "small.pth" if folder else None
    if path is None or not path.is_file():
        return "not trained"
    read = load_checkpoint(path)
    heads = torch.load(path, weights_only=True)["infos"]["heads"]
    return f"{improvement(variant, replace(read, weights={**read.weights, **heads}), sources):.1f}"


def folder_name(name: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name).split())


def form_of(axes: dict[str, str | int]) -> Variant:
    return replace(TRAINED, **axes)  # type: ignore[arg-type]


def improvement(variant: Variant, trained: Checkpoint, sources: np.ndarray) -> float:
    """SI-SDRi in dB, the mean over the mixtures."""
    form = Form(variant, trained.size, trained.mask_activation)
    return score(form, leaves(trained.size, trained.weights), sources).mean


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
