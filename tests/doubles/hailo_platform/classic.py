"""NOT HailoRT: the classic API of the double."""

import enum
import logging
from types import SimpleNamespace

import numpy as np

from tasnet.hailo.files import hef as hefs

from .errors import HailoRTException, refuse, wrapped
from .formats import FormatType
from .script import SCRIPT, Open


class HailoStreamInterface(enum.Enum):
    PCIe = 0
    ETH = 1
    INTEGRATED = 2


class HEF:
    def __init__(self, hef_path):
        if not isinstance(hef_path, str | bytes):
            raise TypeError(f"create_from_file(): incompatible function arguments: {type(hef_path).__name__}")
        with wrapped():
            SCRIPT.call("HEF")
        self.read = hefs.read_hef(hef_path)


class ConfigureParams:
    @staticmethod
    def create_from_hef(hef, interface):
        if not isinstance(interface, HailoStreamInterface):
            raise TypeError("create_configure_params(): incompatible function arguments")
        return {group.name: SimpleNamespace(interface=interface) for group in hef.read.groups}


class ConfiguredNetwork:
    """A network group on a device; with the device's scheduler it isn't activated by hand."""

    def __init__(self, device, hef):
        self._device, self.read = device, hef.read

    def activate(self, network_group_params=None):
        with wrapped():
            refuse(6)


class _Params:
    @classmethod
    def make(
        cls, configured_network, quantized=None, format_type=None, timeout_ms=None, queue_size=None, network_name=None
    ):
        if not isinstance(configured_network, ConfiguredNetwork):
            raise AttributeError(f"{type(configured_network).__name__!r} object has no attribute '_configured_network'")
        if quantized is not None:
            logging.getLogger("hailo_platform").warning("quantized is ignored since 4.16")
        if format_type is None:
            format_type = FormatType.AUTO
        if not isinstance(format_type, FormatType):
            raise TypeError("make_input_vstream_params(): incompatible function arguments")
        hef = configured_network.read
        edges = hef.inputs if cls is InputVStreamParams else hef.outputs
        return {edge.name: SimpleNamespace(user_buffer_format=format_type) for edge in edges}


class InputVStreamParams(_Params):
    pass


class OutputVStreamParams(_Params):
    pass


class InferVStreams(Open):
    """Its entry lets native exceptions through."""

    def __init__(self, configured_net_group, input_vstreams_params, output_vstreams_params, tf_nms_format=False):
        super().__init__()
        self._group = configured_net_group
        self._inputs, self._outputs = input_vstreams_params, output_vstreams_params

    def __enter__(self):
        SCRIPT.call("InferVStreams")
        self._group._device._there()
        return super().__enter__()

    def infer(self, input_data):
        """{input: (N, H, W, C)}; the layer casts with a warning and copies what isn't contiguous."""
        assert self._open, "infer outside of the with block"
        with wrapped():
            SCRIPT.call("infer")
        hef = self._group.read
        known = {edge.name: edge for edge in hef.inputs}
        if set(input_data) != set(known):
            raise HailoRTException(f"Input names are {sorted(known)}, got {sorted(input_data)}")
        for name, array in input_data.items():
            if self._inputs[name].user_buffer_format is not FormatType.FLOAT32 or array.dtype != np.float32:
                raise HailoRTException(f"{name}: {array.dtype} for {self._inputs[name].user_buffer_format}")
            if array.shape[1:] != known[name].shape:
                raise HailoRTException(f"Input numpy array item size of {name}: {array.shape}, {known[name].shape}")
        counts = {len(array) for array in input_data.values()}
        if len(counts) != 1:
            raise HailoRTException("The number of frames of all inputs should be equal")
        if any(each.user_buffer_format is not FormatType.FLOAT32 for each in self._outputs.values()):
            raise AssertionError("outputs in steps: this project asks for float32")
        each = [SCRIPT.results(hef, {name: array[i] for name, array in input_data.items()}) for i in range(*counts)]
        return {name: np.stack([one[name] for one in each]) for name in each[0]}
