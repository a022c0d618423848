"""Documented messages of the compiler, each with its family, layers and figures."""

from __future__ import annotations

RESHAPE = "Reshape is needed for layers: conv2, conv3, but adding a reshape has failed."
SLOPE = (
    "Quantization failed in layer convtas/ne_activation_avgpool6 due to unsupported required slope. "
    "Desired shift is 10.0, but op has only 8 data bits."
)
DATA = "Data shape (5, 1) for layer net/input_layer1 doesn't match network's input shape (1, 5, 1)"
INFERENCE = "Inference input shapes [[-1,1,19,64]] for layer conv3 does not match HN shapes [[-1,19,75,64]]"

CORES: list[tuple[str, str, tuple[str, ...], dict[str, int | float | str]]] = [
    (RESHAPE, "reshape_insertion", ("conv2", "conv3"), {}),
    ("Failed to add spatial reshapes", "reshape_insertion", (), {}),
    ("dw66 errors:\nAgent infeasible", "agent_infeasible", ("dw66",), {}),
    ("dw66 errors:\n\tAgent infeasible", "agent_infeasible", ("dw66",), {}),
    ("No successful assignments: concat24 errors:", "agent_infeasible", ("concat24",), {}),
    ("No successful assignments: concat24 errors:\nAgent infeasible", "agent_infeasible", ("concat24",), {}),
    ("Validator failed on node: concat3 with Agent infeasible", "agent_infeasible", ("concat3",), {}),
    (
        "auto_spatial_reshape_from_dw66_to_conv69_… Agent infeasible",
        "agent_infeasible",
        ("dw66", "conv69"),
        {},
    ),
    (
        "Mapping Failed (Timeout, allocation time: 31m 42s)",
        "mapping_timeout",
        (),
        {"allocation_seconds": 1902},
    ),
    (
        "Partition and Allocation Failed (Timeout, Processing time: 2h 44m 27s)",
        "mapping_timeout",
        (),
        {"processing_seconds": 9867},
    ),
    ("Super deconv is not supported with groups", "unsupported_kernel", (), {}),
    ("Unsupported kernel type", "unsupported_kernel", (), {}),
    (
        "Memory units capacity exceeded (available: 128, required: 138)",
        "memory_units",
        (),
        {"available": 128, "required": 138},
    ),
    (
        "Memory units required 133 and 128 are available",
        "memory_units",
        (),
        {"available": 128, "required": 133},
    ),
    (
        "Resources presolve failed: lcus=(180/80)",
        "resource_presolve",
        (),
        {"lcus_required": 180, "lcus_available": 80},
    ),
    ("Failed to save enough resources to fit in the required parameters", "resource_presolve", (), {}),
    (
        "Model uses too many reources: 136 Layer-Controllers",
        "resource_presolve",
        (),
        {"required": 136, "resource": "Layer-Controllers"},
    ),
    (
        "Too many lcus (130 > 128)",
        "resource_presolve",
        (),
        {"resource": "lcus", "required": 130, "available": 128},
    ),
    ("Compiler could not find a valid partition to contexts", "partition", (), {}),
    (
        "Automri finished with too many resources on context_2 with 3",
        "partition",
        (),
        {"context": "context_2"},
    ),
    ("Splitter failed to find a possible solution", "partition", (), {}),
    (
        "activation2 failed on kernel validation: 16x4 is not supported in activation2",
        "kernel_validation",
        ("activation2",),
        {},
    ),
    (
        "slice1 has 2 APUs but max allowed is 1",
        "kernel_validation",
        ("slice1",),
        {"required": 2, "available": 1},
    ),
    ("No format for fc1 -> conv33", "format", ("fc1", "conv33"), {}),
    ("format_conversion8 errors:\nAgent infeasible", "format", ("format_conversion8",), {}),
    ("features not aligned to 8", "format", (), {"alignment": 8}),
    (
        "shmifo in capacity exceeded (available: 20, required: 37)",
        "inter_context_stream",
        (),
        {"direction": "in", "available": 20, "required": 37},
    ),
    ("Context-Partition topology error: no way", "inter_context_stream", (), {}),
    ("buffers key conv1_ws doesn't exist", "missing_buffer", ("conv1",), {}),
    (
        "microcode exceeded size for resize1_sd0 (cluster_index=0, layer_index=0)",
        "microcode",
        ("resize1",),
        {"cluster_index": 0, "layer_index": 0},
    ),
    ("Assertion `x > 0' failed", "compiler_crash", (), {}),
    ("Compilation failed with unexpected crash", "compiler_crash", (), {}),
    (
        "Layer conv1 requires weights in order to run on HW, but none were given. Did you forget to quantize?",
        "not_quantized",
        ("conv1",),
        {},
    ),
    (SLOPE, "negative_slope", ("avgpool6",), {"desired_shift": 10.0, "data_bits": 8}),
    (
        DATA,
        "calibration_shape",
        ("input_layer1",),
        {"data_shape": "(5, 1)", "network_shape": "(1, 5, 1)"},
    ),
    ("ValueError: Couldn't detect CalibrationDataType", "calibration_shape", (), {}),
    ("KeyError: 'net/input_layer1'", "calibration_shape", ("input_layer1",), {}),
    (
        "Unsupported dimensions: conv1 [-1, 1, 1999, 262144]",
        "unsupported_dimensions",
        ("conv1",),
        {"shape": "[-1, 1, 1999, 262144]"},
    ),
    (
        INFERENCE,
        "shape_mismatch",
        ("conv3",),
        {"input_shape": "[[-1,1,19,64]]", "hn_shape": "[[-1,19,75,64]]"},
    ),
    ("GPU memory has been exhausted.", "out_of_memory", (), {}),
    (
        "AccelerasNumerizationError: Shift delta in net/avgpool2/avgpool_op is larger than 2, cannot quantize",
        "shift_delta",
        ("avgpool2",),
        {"largest_shift": 2},
    ),
    ("BackendValueError: Unsupported NaN values were found in params", "nan_params", (), {}),
    ("No successful assignment for: format_conversion2, concat18", "agent_infeasible", ("concat18",), {}),
    ("BackendScriptParserException: Parsing failed at: ", "model_script", (), {}),
    ("Invalid script command: perf_param(a=b)", "model_script", (), {}),
    (
        "UnsupportedModelError: Invalid kernel shape for base conv layer base_conv1 (translated from /fc/Gemm)",
        "unsupported_op",
        ("base_conv1",),
        {"error": "UnsupportedModelError", "node": "/fc/Gemm"},
    ),
    ("Layer conv77 not found in model", "model_script", ("conv77",), {}),
    (
        "UnsupportedShuffleLayerError in op /mask/Transpose_1: Failed to determine the layer",
        "unsupported_op",
        (),
        {"error": "UnsupportedShuffleLayerError", "node": "/mask/Transpose_1"},
    ),
    ("UnexpectedNodeError in op Neg_3: Unexpected node", "unsupported_op", (), {
        "error": "UnexpectedNodeError", "node": "Neg_3"}),
    ("MisspellNodeError: Unable to find end node names: ['x']", "node_name", (), {}),
    ("Target opset version 12 is not supported", "export_model", (), {"opset": 12}),
    ("1D form is not supported in layer conv4", "export_model", ("conv4",), {}),
    ("symbol lookup error: libtf.so: undefined symbol", "environment", (), {}),
    ("ModuleNotFoundError: No module named 'tensorflow'", "environment", (), {"module": "tensorflow"}),
    ("Unsupported hw_arch: hailo15h", "environment", (), {"arch": "hailo15h"}),
]  # fmt: skip
