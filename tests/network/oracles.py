"""Other people's Conv-TasNets, to check ours against. None of them is needed at run time."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from functools import cache
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch


@cache
def asteroid_convtasnet() -> Any:
    """The class `asteroid.models.ConvTasNet`; skips the test where asteroid isn't installed."""
    # Asteroid imports a metric and two download libraries, which have nothing to do with the network.
    stand_ins = {
        name: MagicMock()
        for name in ("torch_stoi", "requests", "huggingface_hub")
        if name not in sys.modules and importlib.util.find_spec(name) is None
    }
    sys.modules.update(stand_ins)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = importlib.import_module("asteroid.models")
            importlib.import_module("asteroid.masknn.norms")
    except ImportError as error:
        pytest.skip(f"asteroid can't be imported: {error}")
    finally:
        for name in stand_ins:
            sys.modules.pop(name)
    return module.ConvTasNet


def torchaudio_convtasnet() -> Any:
    """torchaudio's class ConvTasNet, from its file alone; skips the test where torchaudio isn't installed."""
    # The package's own import loads its compiled library; the model's file needs torch alone.
    spec = importlib.util.find_spec("torchaudio")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("torchaudio is not installed")
    path = f"{spec.submodule_search_locations[0]}/models/conv_tasnet.py"
    module_spec = importlib.util.spec_from_file_location("torchaudio_conv_tasnet", path)
    assert module_spec is not None
    assert module_spec.loader is not None
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    return module.ConvTasNet


def peak_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference, relative to the peak of what is expected."""
    assert found.shape == expected.shape
    return float((found - expected).abs().max() / expected.abs().max())
