"""NOT the Hailo SDK: its documented calls over this package's own translator and execution, for tests alone.

SDK_NATIVE and SDK_FP_OPTIMIZED run the graph in float, SDK_QUANTIZED and SDK_BIT_EXACT in simulated 8 bits;
deconvolutions are as short as the vendor's. What it compiles is a HEF without a program, with the inputs, the outputs
and their scales. EMULATING_SDK=wrong makes SDK_FP_OPTIMIZED half as loud as it should be, EMULATING_SDK=centred crops
deconvolutions at the centre, EMULATING_SDK=breaks ends SDK_QUANTIZED with an exception, and EMULATING_SDK=inexact has
no SDK_BIT_EXACT.
"""

import enum
import io
import os
import tarfile

import numpy as np

from tasnet.hailo.execute import run_network
from tasnet.hailo.files import har
from tasnet.hailo.quantize import quantize_network, run_quantized
from tasnet.hailo.translate import translate
from tests.doubles import hef_writer

__version__ = "3.33.0"
IS_A_TEST_DOUBLE = True

ACT = os.environ.get("EMULATING_SDK", "")
CALIBRATION = "calibration.npy"


class AccelerasValueError(Exception):
    pass


class InferenceContext(enum.Enum):
    SDK_NATIVE = "sdk_native"
    SDK_FP_OPTIMIZED = "sdk_fp_optimized"
    SDK_QUANTIZED = "sdk_quantized"
    if os.environ.get("EMULATING_SDK") != "inexact":
        SDK_BIT_EXACT = "sdk_bit_exact"
    SDK_HAILO_HW = "sdk_hailo_hw"


class ClientRunner:
    def __init__(self, hw_arch="hailo8", har=None):
        self.network, self.calibration = None, None
        if har is not None:
            self.load_har(har)

    def translate_onnx_model(
        self,
        model,
        net_name="model",
        start_node_names=None,
        end_node_names=None,
        net_input_shapes=None,
        net_input_format=None,
    ):
        from pathlib import Path

        self.network = translate(Path(model), net_name)
        return {}, io.BytesIO()

    def load_model_script(self, script, append=False):
        return script

    def optimize(self, calib_data):
        self.calibration = calib_data if isinstance(calib_data, np.ndarray) else next(iter(calib_data.values()))

    def save_har(self, har_path):
        from pathlib import Path

        har.write(self.network, Path(har_path))
        if self.calibration is not None:
            stream = io.BytesIO()
            np.save(stream, self.calibration)
            info = tarfile.TarInfo(CALIBRATION)
            info.size = stream.tell()
            stream.seek(0)
            with tarfile.open(har_path, "a") as archive:
                archive.addfile(info, stream)

    def load_har(self, har_path):
        from pathlib import Path

        self.network = har.read(Path(har_path))
        with tarfile.open(har_path) as archive:
            if CALIBRATION in archive.getnames():
                self.calibration = np.load(io.BytesIO(archive.extractfile(CALIBRATION).read()))

    def compile(self):
        outputs = run_quantized(quantize_network(self.network, self.calibration), self.calibration[:1])
        edges = [
            hef_writer.edge(f"{self.network.name}/{layer.name}", layer.output_shape[1:], scale=1 / 128, zp=128)
            for layer in self.network
            if layer.type == "input_layer"
        ]
        for name, output in zip(self.network.output_layers, outputs, strict=True):
            low, high = min(0.0, float(output.min())), max(1e-6, float(output.max()))
            scale = float(np.float32((high - low) / 255))
            edges.append(
                hef_writer.edge(
                    f"{self.network.name}/{name}", output.shape[1:], output=True, scale=scale, zp=round(-low / scale)
                )
            )
        group = hef_writer.group(self.network.name, [hef_writer.context(0, edges)])
        return hef_writer.sealed(2, hef_writer.proto([group]))

    def infer_context(self, context):
        self.context = context
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def infer(self, context, data):
        if self.context is not InferenceContext.SDK_NATIVE and self.calibration is None:
            raise AccelerasValueError(f"{self.context} needs an optimized model")
        crop = "vendor_centred" if ACT == "centred" else "vendor"
        if self.context.name in ("SDK_QUANTIZED", "SDK_BIT_EXACT"):
            if ACT == "breaks":
                raise AccelerasValueError("the emulator fell over")
            outputs = run_quantized(quantize_network(self.network, self.calibration), data)
        else:
            outputs = run_network(self.network, data, deconv=crop)
        if ACT == "wrong" and self.context is InferenceContext.SDK_FP_OPTIMIZED:
            outputs = tuple(output / 2 for output in outputs)
        return list(outputs) if len(outputs) > 1 else outputs[0]
