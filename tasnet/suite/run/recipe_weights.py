"""The weights that a recipe stands for: a checkpoint's, or those drawn from its seed."""

from __future__ import annotations

from dataclasses import dataclass

from tasnet.network import PUBLISHED, Size, TrainedForm, Weights, load_checkpoint, seeded_weights, with_drawn_heads
from tasnet.suite.run.recipe import Recipe


@dataclass(frozen=True)
class RecipeWeights:
    """Weights, the activation of their masks, and whether a seed drew them: then they separate nothing.

    `name` is theirs to a person: a checkpoint's path, `tasnet:NAME`, or the seed. `form` is how they were trained.
    """

    weights: Weights
    mask_activation: str
    drawn: bool
    name: str
    form: TrainedForm = PUBLISHED


def load_weights(recipe: Recipe, size: Size) -> RecipeWeights:
    """What the pipeline exports by this recipe for a network of `size`. Raises CheckpointError."""
    if recipe.checkpoint is None:
        return RecipeWeights(seeded_weights(size, recipe.seed), recipe.mask_activation or "relu", True, recipe.weights)
    read = load_checkpoint(
        recipe.checkpoint, mask_activation=recipe.mask_activation, blocks_per_repeat=recipe.blocks_per_repeat
    )
    weights = with_drawn_heads(read.weights, size, recipe.seed)
    return RecipeWeights(weights, read.mask_activation, False, recipe.weights, read.form)
