"""Failure: one thing that went wrong at one stage, in the compiler's families.

The families, stages and exceptions are those of the Dataflow Compiler 3.33 as documented in public notes,
forum posts and issue texts; the messages are quoted only as far as they are needed to recognise them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from pydantic import BaseModel, ConfigDict


class Certainty(str, Enum):
    """How a statement about the chip is known."""

    OBSERVED = "observed"
    """a real compiler or chip said so, of a layer of this kind and size"""
    EXTRAPOLATED = "extrapolated"
    """it follows from what was observed, by a reading that is not confirmed"""


FAMILIES: Mapping[str, str] = {
    "reshape_insertion": "compile",
    "agent_infeasible": "compile",
    "mapping_timeout": "compile",
    "unsupported_kernel": "compile",
    "memory_units": "compile",
    "resource_presolve": "compile",
    "partition": "compile",
    "kernel_validation": "compile",
    "format": "compile",
    "inter_context_stream": "compile",
    "missing_buffer": "compile",
    "microcode": "compile",
    "compiler_crash": "compile",
    "not_quantized": "compile",
    "negative_slope": "optimize",
    "calibration_shape": "optimize",
    "unsupported_dimensions": "optimize",
    "shape_mismatch": "optimize",
    "shift_delta": "optimize",
    "nan_params": "optimize",
    "out_of_memory": "optimize",
    "model_script": "optimize",
    "unsupported_op": "translate",
    "node_name": "translate",
    "export_model": "translate",
    "environment": "any",
    "unclassified": "any",
}
"""Failure family -> the stage it shows at (`any` where it is bound to none)."""

MACHINE_FAMILIES = frozenset({"environment", "out_of_memory"})
"""The families that tell of the machine, and nothing of the network."""

SETUP_FAMILIES = frozenset({"calibration_shape", "model_script", "node_name", "not_quantized"})
"""The families that tell of what was given beside the network: recordings, a script, names of nodes."""

UNINFORMATIVE_FAMILIES = MACHINE_FAMILIES | SETUP_FAMILIES | {"unclassified"}
"""The families that say nothing of the network: no evidence, and no refutation of a prediction."""

UNKNOWN_MESSAGE = "a message that no rule knows"
"""What the compiler ended with where the family is `unclassified`: the one wording for a person."""


class Failure(BaseModel):
    """A blocker: what failed, where, in whose words, and how it is known.

    `layers` are layers of the HN graph without scope; `figures` the numbers behind the verdict, each key
    carrying its unit or meaning (`row_elements`, `bracket_pass_elements`, `memory_units`, ...); `message` is
    in the compiler's words; `evidence` says where the fact comes from. Where the failure was read off a log,
    `first_cause` is the earliest text that names a cause and `terminal_event` the last: the message is one of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    family: str
    message: str
    exception: str = ""
    layers: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    """nodes of the ONNX graph that a translation refused, by name"""
    figures: Mapping[str, int | float | str] = {}
    evidence: str = ""
    certainty: Certainty
    """always given: nothing is observed by default"""
    first_cause: str = ""
    terminal_event: str = ""
