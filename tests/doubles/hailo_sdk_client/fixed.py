"""A network that is the same whatever was given, kept as JSON in the file that it calls a HAR.

It runs on every Python that the compiler has, without numpy. `hef` in the script is what compile() gives: a text, or
`{"arch": number, "input": [H, W, C], "output": [H, W, C]}`.
"""

import json

from .actions import SCRIPT

_INPUT, _OUTPUT = (1, 16, 1), (1, 8, 2)


class Graph:
    def parse(self, model, net_name, nodes):
        return "hn", "npz"

    def calibrate(self, named):
        pass

    def compile(self, arch, version):
        from .writing import ARCHS, hef_of

        hef = SCRIPT.get("hef", {})
        if isinstance(hef, str):
            return hef.encode()
        edges = [
            ("double/input_layer1", hef.get("input", _INPUT), False, 0.5, 3),
            ("double/conv1", hef.get("output", _OUTPUT), True, 0.5, 3),
        ]
        return hef_of("double", edges, hef.get("arch", ARCHS[arch]), version, layout=0)

    def infer(self, context, data, state):
        return data * 2

    def hn(self):
        layers = {
            "double/input_layer1": {"type": "input_layer", "input": [], "output_shapes": [[-1, *_INPUT]]},
            "double/conv1": {"type": "conv", "input": ["double/input_layer1"], "output_shapes": [[-1, *_OUTPUT]]},
            "double/output_layer1": {
                "type": "output_layer",
                "input": ["double/conv1"],
                "input_shapes": [[-1, *_OUTPUT]],
                "output_shapes": [[-1, *_OUTPUT]],
            },
        }
        return {"name": "double", "layers": layers}

    def save(self, path, told):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(told, file)

    def load(self, path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)
