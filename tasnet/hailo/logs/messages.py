"""The table of the compiler's messages: which family each belongs to, and which layers and figures stand in it.

The messages are those of the Dataflow Compiler 3.33 as documented in public notes, forum posts and issue texts.
`faults.py` has those about the machine and the set-up.
"""

from __future__ import annotations

from tasnet.hailo.logs.faults import FAULTS, POSSIBLE_FAULTS
from tasnet.hailo.logs.rule import INT, NAME, NAMES, TIME, Rank, Rule, rule

_ROOM = rf"\(available: (?P<available>{INT}), required: (?P<required>{INT})\)"

_ERROR_LEVEL = r"\[(?i:error|critical)\]|^(?:ERROR|CRITICAL)\b"

RULES: tuple[Rule, ...] = (
    *FAULTS,
    rule("reshape_insertion", "Reshape", rf"Reshape is needed for layers: (?P<layers>{NAMES})"),
    rule("reshape_insertion", "ailed", r"Failed to add spatial reshapes"),
    # A conversion that is infeasible is a matter of formats, not of the layer it was put in for.
    rule(
        "format",
        "infeasible",
        r"(?<![\w/])(?P<layer>[\w/]{0,200}format_conversion\d+\w*)(?: errors:)?(?: with)? Agent infeasible",
    ),
    rule("format", "No format for", rf"No format for (?P<layer_from>{NAME}) -> (?P<layer_to>{NAME})"),
    rule("format", "aligned", rf"features not aligned to (?P<alignment>{INT})"),
    rule(
        "agent_infeasible",
        "successful",
        rf"No successful assignments?(?:: (?P<layer>{NAME}) errors| for: (?P<layers>{NAMES}))?",
        Rank.CONSEQUENCE,
    ),
    rule(
        "agent_infeasible",
        "infeasible",
        rf"Validator failed on node: (?P<layer>{NAME}) with Agent infeasible",
    ),
    rule("agent_infeasible", "infeasible", rf"(?:(?P<layer>{NAME}):? )?(?:errors: )?Agent infeasible"),
    rule(
        "mapping_timeout",
        "ailed",
        rf"(?:Mapping|Allocation) Failed \(Timeout(?:, (?:allocation time: (?P<allocation_seconds>{TIME})"
        rf"|Processing time: (?P<processing_seconds>{TIME})))?",
        Rank.CONSEQUENCE,
    ),
    rule(
        "unclassified",
        "ailed",
        rf"Mapping Failed(?: \(allocation time: (?P<allocation_seconds>{TIME}))?",
        Rank.CONSEQUENCE,
    ),
    rule(
        "unclassified",
        "exceeded",
        rf"\[TIMEOUT\] {NAME} exceeded (?P<limit_seconds>{INT})s",
        Rank.CONSEQUENCE,
    ),
    rule("unsupported_kernel", "upported", r"Super deconv is not supported"),
    rule("unsupported_kernel", "upported", r"Unsupported kernel type"),
    rule("memory_units", "Memory", rf"Memory units capacity exceeded(?: {_ROOM})?"),
    rule(
        "memory_units",
        "Memory",
        rf"Memory units required (?P<required>{INT}) and (?P<available>{INT}) are available",
    ),
    rule("resource_presolve", "ailed", r"Resources presolve failed"),
    rule("resource_presolve", "ailed", r"Failed to save enough resources"),
    rule(
        "resource_presolve",
        "oo many ",
        # The compiler's own spelling, and the one it may come to.
        rf"uses too many res?ources(?:: (?P<required>{INT}) (?P<resource>[\w-]{{1,40}}))?",
    ),
    rule(
        "resource_presolve",
        "oo many ",
        rf"Too many (?P<resource>\w{{1,40}}) \((?P<required>{INT}) > (?P<available>{INT})\)",
    ),
    rule("partition", "a valid partition", r"could not find a valid partition"),
    rule("partition", "oo many ", r"finished with too many resources on (?P<context>\w{1,60}?)\b"),
    rule("partition", "ailed", r"Splitter failed to find a possible solution"),
    rule("kernel_validation", "ailed", rf"(?P<layer>{NAME}) failed on kernel validation"),
    rule(
        "kernel_validation",
        "allowed",
        rf"(?P<layer>{NAME}) has (?P<required>{INT}) APUs but max allowed is (?P<available>{INT})",
    ),
    rule("inter_context_stream", "exceeded", rf"shmifo (?P<direction>in|out) capacity exceeded(?: {_ROOM})?"),
    rule("inter_context_stream", "rror", r"Context-Partition topology error"),
    rule("missing_buffer", "doesn", rf"buffers key (?P<layer>{NAME}) doesn"),
    rule(
        "microcode",
        "exceeded",
        rf"microcode exceeded size for (?P<layer>{NAME})"
        rf"(?: \(cluster_index=(?P<cluster_index>{INT}), layer_index=(?P<layer_index>{INT})\))?",
    ),
    rule("compiler_crash", "ailed", r"Assertion\b.{0,2000}?\bfailed"),
    rule("compiler_crash", "crash", r"unexpected crash"),
    rule("compiler_crash", "Segmentation fault", r"Segmentation fault"),
    rule("compiler_crash", "SIG", r"\b(?P<signal>SIGSEGV|SIGABRT|SIGBUS|SIGFPE|SIGILL)\b"),
    rule("not_quantized", "forget", r"Did you forget to quantize"),
    rule(
        "negative_slope",
        "ailed",
        rf"Quantization failed in layer (?P<layer>{NAME}) due to unsupported required slope"
        rf"(?:\. Desired shift is (?P<desired_shift>-?\d{{1,9}}(?:\.\d{{1,9}})?), but op has only "
        rf"(?P<data_bits>{INT}) data bits)?",
    ),
    rule("negative_slope", "NonFixable", r"NegativeSlopeExponentNonFixable"),
    rule(
        "calibration_shape",
        "doesn",
        rf"Data shape (?P<data_shape>\([\d, ]{{0,80}}\)) for layer (?P<layer>{NAME}) doesn.t match network.s "
        r"input shape (?P<network_shape>\([\d, ]{0,80}\))",
    ),
    rule("calibration_shape", "CalibrationDataType", r"Couldn.t detect CalibrationDataType"),
    rule("calibration_shape", "rror", r"\bKeyError: ['\"]?(?P<layer>[\w./-]{0,200}input_layer\d{1,9})\b"),
    rule("calibration_shape", "InputsShape", r"\bBadInputsShape\b"),
    rule(
        "unsupported_dimensions",
        "upported",
        r"Unsupported dimensions(?:.{0,300}?(?P<shape>\[-?\d[\d, -]{0,80}\]))?",
    ),
    rule(
        "shape_mismatch",
        "Inference",
        rf"Inference input shapes (?P<input_shape>\[[\d\[\], -]{{0,200}}\]) for layer (?P<layer>{NAME}) "
        r"does not match HN shapes (?P<hn_shape>\[[\d\[\], -]{0,200}\])",
    ),
    rule(
        "shift_delta",
        "Shift",
        rf"Shift delta in (?P<layer>{NAME}) is larger than (?P<largest_shift>{INT})",
    ),
    rule("nan_params", "NaN values", r"Unsupported NaN values were found in params"),
    rule("model_script", "not found in model", rf"Layer (?P<layer>{NAME}) not found in model"),
    rule("model_script", "ception", r"\bAllocatorScriptParserException\b"),
    rule("model_script", "ception", r"\bBackendScriptParserException\b"),
    rule("model_script", "nvalid", r"Invalid script command"),
    rule("node_name", "rror", r"\bMisspellNodeError\b"),
    rule("export_model", "upported", rf"Target opset version (?P<opset>{INT}) is not supported"),
    rule("export_model", "upported", rf"1D form is not supported(?: in layer (?P<layer>{NAME}))?"),
    rule("export_model", "rank", r"\brank[- ]3\b.{0,80}\binputs?\b|\binputs?\b.{0,80}\brank[- ]3\b"),
    rule(
        "unsupported_op",
        "rror",
        r"\b(?P<error>Unsupported\w{1,60}Error|UnexpectedNodeError) in op "
        r"(?P<node>[^\s,'\"]{1,256}?)(?=:?[\s,'\"]|:?$)",
    ),
    rule(
        "unsupported_op",
        "rror",
        r"\b(?P<error>UnexpectedNodeError"
        r"|Unsupported(?:Operation|\w{1,40}Layer|Conv3D)Error)\b",
    ),
    rule(
        "unsupported_op",
        "rror",
        r"\b(?P<error>UnsupportedModelError)\b(?:.{0,300}?\(translated from (?P<node>[^\s()]{1,256})\))?",
    ),
    # The wrapper alone: what it wraps stands in the lines after it.
    rule("unsupported_op", "ception", r"\bParsingWithRecommendationException\b", Rank.INCIDENTAL),
    *POSSIBLE_FAULTS,
    rule(
        "unclassified",
        "rror",
        r"(?<!\w)[A-Z]\w{1,80}?Error(?=:)",
        Rank.INCIDENTAL,
    ),
    rule("unclassified", "ception", r"(?<!\w)[A-Z]\w{1,80}?Exception(?=:)", Rank.INCIDENTAL),
    rule("unclassified", "ailure", r"(?<!\w)[A-Z]\w{1,80}?Failure(?=:)", Rank.INCIDENTAL),
    *(rule("unclassified", hint, _ERROR_LEVEL, Rank.LOOSE) for hint in ("rror", "ERROR", "ritical", "CRITICAL")),
    rule("unclassified", "ailed", r"Failed to produce compiled graph", Rank.LOOSE),
    rule("unclassified", "ailed", r"\b[Cc]ompilation failed", Rank.LOOSE),
    rule("unclassified", "ailed", r"\bStep [34] Failed\b", Rank.LOOSE),
)
"""in order of priority: the first that matches a line applies"""
