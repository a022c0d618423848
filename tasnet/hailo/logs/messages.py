"""The table of the compiler's messages: which family each belongs to, and which layers and figures stand in it.

The messages are those of the Dataflow Compiler 3.33 as documented in public notes, forum posts and issue texts.
`faults.py` has those that tell of the machine or of the set-up, and nothing of the network.
"""

from __future__ import annotations

from tasnet.hailo.logs.faults import FAULTS, HINTS_OF_FAULTS
from tasnet.hailo.logs.rule import INT, TIME, Rank, Rule
from tasnet.hailo.logs.rule import NAME as _NAME
from tasnet.hailo.logs.rule import NAMES as _NAMES
from tasnet.hailo.logs.rule import rule as _rule

_ROOM = rf"\(available: (?P<available>{INT}), required: (?P<required>{INT})\)"

LEVEL_OF_FAILURE = r"\[(?i:error|critical)\]|^(?:ERROR|CRITICAL)\b"

RULES: tuple[Rule, ...] = (
    *FAULTS,
    _rule("reshape_insertion", "Reshape", rf"Reshape is needed for layers: (?P<layers>{_NAMES})"),
    _rule("reshape_insertion", "ailed", r"Failed to add spatial reshapes"),
    # A conversion that is infeasible is a matter of formats, not of the layer it was put in for.
    _rule(
        "format",
        "infeasible",
        r"(?<![\w/])(?P<layer>[\w/]{0,200}format_conversion\d+\w*)(?: errors:)?(?: with)? Agent infeasible",
    ),
    _rule("format", "No format for", rf"No format for (?P<layer_from>{_NAME}) -> (?P<layer_to>{_NAME})"),
    _rule("format", "aligned", rf"features not aligned to (?P<alignment>{INT})"),
    _rule(
        "agent_infeasible",
        "successful",
        rf"No successful assignments?(?:: (?P<layer>{_NAME}) errors| for: (?P<layers>{_NAMES}))?",
        Rank.CONSEQUENCE,
    ),
    _rule(
        "agent_infeasible",
        "infeasible",
        rf"Validator failed on node: (?P<layer>{_NAME}) with Agent infeasible",
    ),
    _rule("agent_infeasible", "infeasible", rf"(?:(?P<layer>{_NAME}):? )?(?:errors: )?Agent infeasible"),
    _rule(
        "mapping_timeout",
        "ailed",
        rf"(?:Mapping|Allocation) Failed \(Timeout(?:, (?:allocation time: (?P<allocation_seconds>{TIME})"
        rf"|Processing time: (?P<processing_seconds>{TIME})))?",
        Rank.CONSEQUENCE,
    ),
    _rule(
        "unclassified",
        "ailed",
        rf"Mapping Failed(?: \(allocation time: (?P<allocation_seconds>{TIME}))?",
        Rank.CONSEQUENCE,
    ),
    _rule(
        "unclassified",
        "exceeded",
        rf"\[TIMEOUT\] {_NAME} exceeded (?P<limit_seconds>{INT})s",
        Rank.CONSEQUENCE,
    ),
    _rule("unsupported_kernel", "upported", r"Super deconv is not supported"),
    _rule("unsupported_kernel", "upported", r"Unsupported kernel type"),
    _rule("memory_units", "Memory", rf"Memory units capacity exceeded(?: {_ROOM})?"),
    _rule(
        "memory_units",
        "Memory",
        rf"Memory units required (?P<required>{INT}) and (?P<available>{INT}) are available",
    ),
    _rule("resource_presolve", "ailed", r"Resources presolve failed"),
    _rule("resource_presolve", "ailed", r"Failed to save enough resources"),
    _rule(
        "resource_presolve",
        "oo many ",
        # The compiler's own spelling, and the one it may come to.
        rf"uses too many res?ources(?:: (?P<required>{INT}) (?P<resource>[\w-]{{1,40}}))?",
    ),
    _rule(
        "resource_presolve",
        "oo many ",
        rf"Too many (?P<resource>\w{{1,40}}) \((?P<required>{INT}) > (?P<available>{INT})\)",
    ),
    _rule("partition", "a valid partition", r"could not find a valid partition"),
    _rule("partition", "oo many ", r"finished with too many resources on (?P<context>\w{1,60}?)\b"),
    _rule("partition", "ailed", r"Splitter failed to find a possible solution"),
    _rule("kernel_validation", "ailed", rf"(?P<layer>{_NAME}) failed on kernel validation"),
    _rule(
        "kernel_validation",
        "allowed",
        rf"(?P<layer>{_NAME}) has (?P<required>{INT}) APUs but max allowed is (?P<available>{INT})",
    ),
    _rule("inter_context_stream", "exceeded", rf"shmifo (?P<direction>in|out) capacity exceeded(?: {_ROOM})?"),
    _rule("inter_context_stream", "rror", r"Context-Partition topology error"),
    _rule("missing_buffer", "doesn", rf"buffers key (?P<layer>{_NAME}) doesn"),
    _rule(
        "microcode",
        "exceeded",
        rf"microcode exceeded size for (?P<layer>{_NAME})"
        rf"(?: \(cluster_index=(?P<cluster_index>{INT}), layer_index=(?P<layer_index>{INT})\))?",
    ),
    _rule("compiler_crash", "ailed", r"Assertion\b.{0,2000}?\bfailed"),
    _rule("compiler_crash", "crash", r"unexpected crash"),
    _rule("compiler_crash", "Segmentation fault", r"Segmentation fault"),
    _rule("compiler_crash", "SIG", r"\b(?P<signal>SIGSEGV|SIGABRT|SIGBUS|SIGFPE|SIGILL)\b"),
    _rule("not_quantized", "forget", r"Did you forget to quantize"),
    _rule(
        "negative_slope",
        "ailed",
        rf"Quantization failed in layer (?P<layer>{_NAME}) due to unsupported required slope"
        rf"(?:\. Desired shift is (?P<desired_shift>-?\d{{1,9}}(?:\.\d{{1,9}})?), but op has only "
        rf"(?P<data_bits>{INT}) data bits)?",
    ),
    _rule("negative_slope", "NonFixable", r"NegativeSlopeExponentNonFixable"),
    _rule(
        "calibration_shape",
        "doesn",
        rf"Data shape (?P<data_shape>\([\d, ]{{0,80}}\)) for layer (?P<layer>{_NAME}) doesn.t match network.s "
        r"input shape (?P<network_shape>\([\d, ]{0,80}\))",
    ),
    _rule("calibration_shape", "CalibrationDataType", r"Couldn.t detect CalibrationDataType"),
    _rule("calibration_shape", "rror", r"\bKeyError: ['\"]?(?P<layer>[\w./-]{0,200}input_layer\d{1,9})\b"),
    _rule("calibration_shape", "InputsShape", r"\bBadInputsShape\b"),
    _rule(
        "unsupported_dimensions",
        "upported",
        r"Unsupported dimensions(?:.{0,300}?(?P<shape>\[-?\d[\d, -]{0,80}\]))?",
    ),
    _rule(
        "shape_mismatch",
        "Inference",
        rf"Inference input shapes (?P<input_shape>\[[\d\[\], -]{{0,200}}\]) for layer (?P<layer>{_NAME}) "
        r"does not match HN shapes (?P<hn_shape>\[[\d\[\], -]{0,200}\])",
    ),
    _rule(
        "shift_delta",
        "Shift",
        rf"Shift delta in (?P<layer>{_NAME}) is larger than (?P<largest_shift>{INT})",
    ),
    _rule("nan_params", "NaN values", r"Unsupported NaN values were found in params"),
    _rule("model_script", "not found in model", rf"Layer (?P<layer>{_NAME}) not found in model"),
    _rule("model_script", "ception", r"\bAllocatorScriptParserException\b"),
    _rule("model_script", "ception", r"\bBackendScriptParserException\b"),
    _rule("model_script", "nvalid", r"Invalid script command"),
    _rule("node_name", "rror", r"\bMisspellNodeError\b"),
    _rule("export_model", "upported", rf"Target opset version (?P<opset>{INT}) is not supported"),
    _rule("export_model", "upported", rf"1D form is not supported(?: in layer (?P<layer>{_NAME}))?"),
    _rule("export_model", "rank", r"\brank[- ]3\b.{0,80}\binputs?\b|\binputs?\b.{0,80}\brank[- ]3\b"),
    _rule(
        "unsupported_op",
        "rror",
        r"\b(?P<error>Unsupported\w{1,60}Error|UnexpectedNodeError) in op "
        r"(?P<node>[^\s,'\"]{1,256}?)(?=:?[\s,'\"]|:?$)",
    ),
    _rule(
        "unsupported_op",
        "rror",
        r"\b(?P<error>UnexpectedNodeError"
        r"|Unsupported(?:Operation|\w{1,40}Layer|Conv3D)Error)\b",
    ),
    _rule(
        "unsupported_op",
        "rror",
        r"\b(?P<error>UnsupportedModelError)\b(?:.{0,300}?\(translated from (?P<node>[^\s()]{1,256})\))?",
    ),
    # The wrapper alone: what it wraps stands in the lines after it.
    _rule("unsupported_op", "ception", r"\bParsingWithRecommendationException\b", Rank.INCIDENTAL),
    *HINTS_OF_FAULTS,
    _rule(
        "unclassified",
        "rror",
        r"(?<!\w)[A-Z]\w{1,80}?Error(?=:)",
        Rank.INCIDENTAL,
    ),
    _rule("unclassified", "ception", r"(?<!\w)[A-Z]\w{1,80}?Exception(?=:)", Rank.INCIDENTAL),
    _rule("unclassified", "ailure", r"(?<!\w)[A-Z]\w{1,80}?Failure(?=:)", Rank.INCIDENTAL),
    *(_rule("unclassified", hint, LEVEL_OF_FAILURE, Rank.LOOSE) for hint in ("rror", "ERROR", "ritical", "CRITICAL")),
    _rule("unclassified", "ailed", r"Failed to produce compiled graph", Rank.LOOSE),
    _rule("unclassified", "ailed", r"\b[Cc]ompilation failed", Rank.LOOSE),
    _rule("unclassified", "ailed", r"\bStep [34] Failed\b", Rank.LOOSE),
)
"""in the order of their priority: the first that matches a line has it"""
