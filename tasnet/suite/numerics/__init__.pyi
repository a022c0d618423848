from . import thresholds as thresholds
from .emulated import EmulationError as EmulationError
from .emulated import aligned as aligned
from .emulated import emulated_arrays as emulated_arrays
from .kept_figures import keep as keep
from .kept_figures import kept as kept
from .kept_figures import of_case as of_case
from .kept_figures import weights_of as weights_of
from .listening import listen as listen
from .listening import shown as shown
from .measuring import figures as figures
from .measuring import measure as measure
from .metrics import distance as distance
from .metrics import snr as snr
from .parity import onnx_waveform as onnx_waveform
from .parity_page import write as write
from .parity_report import real as real
from .speech import heard as heard
from .speech import mixtures as mixtures
from .stages import STAGES as STAGES
from .stages import staged as staged
from .thresholds import Measured as Measured
from .thresholds import ThresholdError as ThresholdError
from .thresholds import Thresholds as Thresholds
from .thresholds import form_of as form_of
from .thresholds import propose as propose
from .thresholds import read as read

__all__ = [
    "STAGES",
    "EmulationError",
    "Measured",
    "ThresholdError",
    "Thresholds",
    "aligned",
    "distance",
    "emulated_arrays",
    "figures",
    "form_of",
    "heard",
    "keep",
    "kept",
    "listen",
    "measure",
    "mixtures",
    "of_case",
    "onnx_waveform",
    "propose",
    "read",
    "real",
    "shown",
    "snr",
    "staged",
    "thresholds",
    "weights_of",
    "write",
]
