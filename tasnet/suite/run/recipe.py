"""Where a network's weights come from, and what is said of them: the options of every command that exports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tasnet.common import TasnetError, printable, why_no_file
from tasnet.network import MASK_ACTIVATIONS, Variant, checkpoint_file, checkpoint_name


class RecipeError(TasnetError, ValueError):
    """Options that name no weights. One line."""


@dataclass(frozen=True)
class Recipe:
    """Where the weights come from, and the ONNX opset.

    With a checkpoint the seed draws only the heads that it doesn't have. `mask_activation` and
    `blocks_per_repeat` say what a bare state dict doesn't; None leaves them to `checkpoint.load`, and without
    a checkpoint the mask's activation is ReLU.
    """

    checkpoint: Path | None = None
    seed: int = 0
    opset: int = 13
    mask_activation: str | None = None
    blocks_per_repeat: int | None = None

    @property
    def weights(self) -> str:
        """The weights as they are named to a person: a checkpoint's path or `tasnet:NAME`, else the seed."""
        return checkpoint_name(self.checkpoint) if self.checkpoint else f"seed {self.seed}"

    @property
    def shipped(self) -> bool:
        """Whether the network is one of the package's own."""
        return self.checkpoint is not None and checkpoint_name(self.checkpoint) != str(self.checkpoint)


def checked_recipe(checkpoint: Path | None, mask_activation: str | None, blocks_per_repeat: int | None) -> Recipe:
    """The recipe of `--checkpoint`, `--mask-activation` and `--blocks-per-repeat`; `tasnet:small` is a checkpoint too.

    Raises RecipeError, and ShippedError for another `tasnet:` name: one line.
    """
    if checkpoint is None:
        for name, value in (("--mask-activation", mask_activation), ("--blocks-per-repeat", blocks_per_repeat)):
            if value is not None:
                raise RecipeError(f"{name} {value}: of which weights? name them with --checkpoint")
        return Recipe()
    file = checkpoint_file(checkpoint)
    if instead := why_no_file(file):
        raise RecipeError(f"--checkpoint {checkpoint}: {instead}; name a checkpoint")
    if mask_activation is not None and mask_activation not in MASK_ACTIVATIONS:
        known = ", ".join(MASK_ACTIVATIONS)
        raise RecipeError(f"--mask-activation {printable(mask_activation)}: unknown; one of {known}")
    if blocks_per_repeat is not None and blocks_per_repeat < 1:
        raise RecipeError(f"--blocks-per-repeat {blocks_per_repeat}: must be at least 1")
    return Recipe(file.absolute(), mask_activation=mask_activation, blocks_per_repeat=blocks_per_repeat)


def masked_by(variant: Variant, mask_activation: str) -> dict[str, str]:
    """The figure of an export whose masks end in anything but a case's ReLU: another graph than the case means."""
    return {"mask_activation": mask_activation} if variant.mask == "normal" and mask_activation != "relu" else {}
