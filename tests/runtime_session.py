"""A graph in ONNX Runtime, as a reference for what runs it here."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnxruntime


def session(model: onnx.ModelProto | Path) -> onnxruntime.InferenceSession:
    """With one thread: it has threads of its own, and several that wait for each other take more than they bring."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
