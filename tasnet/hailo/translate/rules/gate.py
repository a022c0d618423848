"""A tensor times a gate of its own: x * sigmoid(x) is the activation `silu`, x * hardsigmoid(x) is `hardswish`."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tasnet.hailo.translate.draft import Draft, Drafting


def gated(drafting: Drafting, node: ir.Node) -> bool:
    """Drafts a Mul of a tensor and its own gate, if it is one.

    Conv + Sigmoid + Mul is one conv with activation `silu`: observed in an HN of version 3.29. That other layers
    take it, and that HardSigmoid + Mul is `hardswish`, is not observed.
    """
    for gate, source in ((1, 0), (0, 1)):
        activation = drafting.fuse(node, gate)
        before = drafting.view(node, source).draft
        name = _name(activation)
        if activation is None or not name or activation.inputs != [before]:
            continue
        labels = drafting.view(node, source).labels
        if drafting.view(node, gate).labels != labels:
            continue
        readers = {use.node for value in before.values for use in value.uses()}
        alone = before.reads == 1 and len(readers) == 2 and not any(v.is_graph_output() for v in before.values)
        drafting.drop(activation)
        names = [*activation.names, node.name or ""]
        if alone and before.fusable:
            before.params["activation"] = name
            before.names += names
            draft = before
        else:
            draft = drafting.add(node, "activation", [before], before.hwc, {"activation": name}, names=names)
        drafting.emit(node, draft, labels)
        return True
    return False


def _name(activation: Draft | None) -> str:
    if activation is None or activation.type != "activation":
        return ""
    if activation.params["activation"] == "sigmoid":
        return "silu"
    if activation.params["activation"] == "hardsigmoid":
        slope, offset = (float(activation.weights[f"hardsigmoid_{each}"][0]) for each in ("alpha", "beta"))
        return "hardswish" if np.isclose(slope, 1 / 6, atol=1e-6) and offset == 0.5 else ""
    return ""
