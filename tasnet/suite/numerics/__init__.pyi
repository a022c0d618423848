from .emulated import EmulationError as EmulationError
from .emulated import aligned_distance as aligned_distance
from .emulated import emulated_arrays as emulated_arrays
from .float64_reference import onnx_waveform as onnx_waveform
from .function_distance import distance_to_trained as distance_to_trained
from .kept_figures import keep_figures as keep_figures
from .kept_figures import read_case_figures as read_case_figures
from .kept_figures import read_figures as read_figures
from .kept_figures import weights_label as weights_label
from .listening import SECONDS as SECONDS
from .listening import check_folder as check_folder
from .listening import listen_summary as listen_summary
from .listening import separate_to_folder as separate_to_folder
from .measuring import measure_case as measure_case
from .measuring import stage_figures as stage_figures
from .metrics import distance as distance
from .metrics import snr as snr
from .parity_page import write_parity_page as write_parity_page
from .parity_report import full_parity_report as full_parity_report
from .speech import SHIPPED as SHIPPED
from .speech import mixtures as mixtures
from .speech import one_mix as one_mix
from .speech import voices_summary as voices_summary
from .stages import PARITY_STAGES as PARITY_STAGES
from .stages import run_stages as run_stages
from .thresholds import THRESHOLDS_FILE as THRESHOLDS_FILE
from .thresholds import StageFigure as StageFigure
from .thresholds import ThresholdError as ThresholdError
from .thresholds import Thresholds as Thresholds
from .thresholds import propose_thresholds as propose_thresholds
from .thresholds import read_thresholds as read_thresholds
from .waves import each_window as each_window
from .waves import frames_waveform as frames_waveform
from .waves import host_frames as host_frames
from .waves import in_a_row as in_a_row
from .waves import torch_waveform as torch_waveform
from .worst import worst_lines as worst_lines

__all__ = [
    "PARITY_STAGES",
    "SECONDS",
    "SHIPPED",
    "THRESHOLDS_FILE",
    "EmulationError",
    "StageFigure",
    "ThresholdError",
    "Thresholds",
    "aligned_distance",
    "check_folder",
    "distance",
    "distance_to_trained",
    "each_window",
    "emulated_arrays",
    "frames_waveform",
    "full_parity_report",
    "host_frames",
    "in_a_row",
    "keep_figures",
    "listen_summary",
    "measure_case",
    "mixtures",
    "one_mix",
    "onnx_waveform",
    "propose_thresholds",
    "read_case_figures",
    "read_figures",
    "read_thresholds",
    "run_stages",
    "separate_to_folder",
    "snr",
    "stage_figures",
    "torch_waveform",
    "voices_summary",
    "weights_label",
    "worst_lines",
    "write_parity_page",
]
