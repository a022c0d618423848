"""A network that is run, by this project's own translator and execution: what the contexts of the emulation give.

SDK_NATIVE and SDK_FP_OPTIMIZED run it in float, SDK_QUANTIZED and SDK_BIT_EXACT in simulated 8 bits; deconvolutions are
as short as the vendor's. What it compiles has the inputs, the outputs and their scales. `emulation` in the script is
`wrong`: SDK_FP_OPTIMIZED is half as loud as it should be; `centred`: deconvolutions are cropped at the centre; or
`breaks`: SDK_QUANTIZED ends with an exception.
"""

import io
import json
from pathlib import Path

import numpy as np

from tasnet.hailo.files import har

from .actions import SCRIPT
from .exceptions import AccelerasValueError, BadInputsShape
from .writing import ARCHS, STATE, add_members, hef_of, members_of

CALIBRATION = "calibration.npz"


class Graph:
    def __init__(self):
        self.network, self.calibration = None, None
        self.emulation = SCRIPT.get("emulation", "")

    def parse(self, model, net_name, nodes):
        from tasnet.hailo.translate import translate

        self.network = translate(Path(model), net_name)
        return {}, io.BytesIO()

    def calibrate(self, named):
        shapes = {
            f"{self.network.name}/{layer.name}": tuple(layer.output_shape[1:])
            for layer in self.network
            if layer.type == "input_layer"
        }
        if set(named) == {""}:
            named = dict.fromkeys(shapes, named[""])
        for name, wanted in shapes.items():
            given = tuple(named[name].shape[1:])
            if given != wanted:
                text = "Data shape {} for layer {} doesn't match network's input shape {}"
                raise BadInputsShape(text.format(given, name, wanted))
        self.calibration = {name.rpartition("/")[2]: named[name] for name in shapes}

    def compile(self, arch, version):
        name = self.network.name
        first = {layer: each[:1] for layer, each in self.calibration.items()}
        edges = [
            (f"{name}/{layer.name}", layer.output_shape[1:], False, 1 / 128, 128)
            for layer in self.network
            if layer.type == "input_layer"
        ]
        for layer, output in zip(self.network.output_layers, self._quantized(first), strict=True):
            low, high = min(0.0, float(output.min())), max(1e-6, float(output.max()))
            scale = float(np.float32((high - low) / 255))
            edges.append((f"{name}/{layer}", output.shape[1:], True, scale, round(-low / scale)))
        return hef_of(name, edges, ARCHS[arch], version)

    def infer(self, context, data, state):
        from tasnet.hailo.execute import run_network

        if context != "SDK_NATIVE" and state != "quantized_model":
            raise AccelerasValueError(f"{context} needs an optimized model")
        if context in ("SDK_QUANTIZED", "SDK_BIT_EXACT"):
            if self.emulation == "breaks":
                raise AccelerasValueError("the emulator fell over")
            outputs = self._quantized(data)
        else:
            crop = "vendor_centred" if self.emulation == "centred" else "vendor"
            outputs = run_network(self.network, data, deconv=crop)
        if self.emulation == "wrong" and context == "SDK_FP_OPTIMIZED":
            outputs = tuple(output / 2 for output in outputs)
        return list(outputs) if len(outputs) > 1 else outputs[0]

    def _quantized(self, data):
        from tasnet.hailo.quantize import quantize_network, run_quantized

        return run_quantized(quantize_network(self.network, self.calibration), data)

    def hn(self):
        from tasnet.hailo.files import hn_dict

        return hn_dict(self.network)

    def save(self, path, told):
        har.write(self.network, Path(path))
        members = {STATE: told}
        if self.calibration is not None:
            stream = io.BytesIO()
            np.savez(stream, **self.calibration)
            members[CALIBRATION] = stream.getvalue()
        add_members(path, members)

    def load(self, path):
        self.network, members = har.read(Path(path)), members_of(path)
        if CALIBRATION in members:
            with np.load(io.BytesIO(members[CALIBRATION])) as arrays:
                self.calibration = dict(arrays)
        # the embedded translator's own HAR is parsed and no more
        return json.loads(members[STATE]) if STATE in members else {"state": "hailo_model", "script": "", "calls": []}
