from .calibration import load as load
from .calibration import save as save
from .calibration import told as told
from .pipeline import Pipeline as Pipeline
from .pipeline import onnx_bytes as onnx_bytes
from .recipe import Recipe as Recipe
from .recipe import from_options as from_options
from .recipe_weights import Trained as Trained
from .recipe_weights import trained as trained
from .store import Damaged as Damaged
from .store import DamageFound as DamageFound
from .store import Store as Store
from .store import StoreError as StoreError
from .store import content_key as content_key
from .store import content_of as content_of
from .store import file_sha256 as file_sha256
from .store import open_store as open_store
from .toolchains import Calibrated as Calibrated
from .toolchains import Choice as Choice
from .toolchains import choose as choose
from .toolchains import compiler as compiler
from .toolchains import opened as opened

__all__ = [
    "Calibrated",
    "Choice",
    "DamageFound",
    "Damaged",
    "Pipeline",
    "Recipe",
    "Store",
    "StoreError",
    "Trained",
    "choose",
    "compiler",
    "content_key",
    "content_of",
    "file_sha256",
    "from_options",
    "load",
    "onnx_bytes",
    "open_store",
    "opened",
    "save",
    "told",
    "trained",
]
