"""What a plan takes, modelled: terms are summed, nothing overlaps, 8 bits over the link, float32 on the host.

All windows of a HEF run before the next one is switched in. What the host does is counted as the bytes that numpy
reads and writes for it, and as multiplications where it computes layers.
"""

from __future__ import annotations

from tasnet.plan.cut import HOST, PIECE_IN, PIECES, POINTWISE, SCALED, Cut, piece_channels
from tasnet.plan.cuts import Seconds
from tasnet.plan.function import GLOBAL_NORM, LOCAL_NORMS, Function
from tasnet.plan.hardware import Hardware
from tasnet.plan.layers import Facts

MOVED = 8
"""bytes for each element that goes to the chip or comes from it: read once and written once, float32"""

PASSES = 4
"""bytes of one pass over an element"""

_ACTIVATION = {"prelu": 9, "relu": 2}
"""passes of an activation: what numpy reads and writes for each element of it"""
_NORM = {"identity": 0, "affine": 4, GLOBAL_NORM: 8, "cln": 13, "channel": 13, "cgln": 13}
_DEPTHWISE = 6
"""passes for each tap"""


def runs(form: str) -> int:
    """How often each row of a segment goes through the chip."""
    return 2 if form == SCALED else 1


def seconds(function: Function, cut: Cut, found: Facts, invocations: int, frames: int, hardware: Hardware) -> Seconds:
    """One segment on the chip, with the host's work for it."""
    link, stream = hardware.link_bytes_per_second.value, hardware.host_bytes_per_second.value
    times = invocations * runs(cut.form)
    moved = found.activations_in + found.activations_out
    # The chip gives all outputs each time; the first time the host looks at two channels.
    handled = times * moved - (runs(cut.form) - 1) * invocations * found.activations_out
    return Seconds(
        switch=switch_seconds(found, hardware),
        invoke=times * hardware.invocation_seconds.value,
        link=times * moved / link,
        compute=times * found.macs / hardware.macs_per_second.value,
        host=(handled * MOVED + PASSES * frames * _passes(function, cut)) / stream
        + (_decoding(function, frames) / hardware.host_macs_per_second.value if _decodes(function, cut) else 0.0),
    )


def switch_seconds(found: Facts, hardware: Hardware) -> float:
    """What it takes to load a HEF: the switch, and its weights over the link."""
    return hardware.switch_seconds.value + found.weights / hardware.link_bytes_per_second.value


def _decodes(function: Function, cut: Cut) -> bool:
    if cut.form in PIECES:
        return cut.start == function.stages - 1 and cut.takes[0] == cut.gives[0] == 0
    return cut.has_tail(function) and cut.coders == HOST


def _decoding(function: Function, frames: int) -> int:
    size = function.size
    return size.n_src * size.N * size.L * frames


def _passes(function: Function, cut: Cut) -> int:
    """Passes over one frame's elements that the host makes beside moving them."""
    size = function.size
    if cut.form in PIECES:
        # Partial sums are added; what is between the convolutions is counted once, with the first piece.
        adding = 3 * (cut.gives[1] - cut.gives[0])
        return adding + (_between(function, cut) if cut.takes[0] == cut.gives[0] == 0 else 0)
    if cut.form == POINTWISE:
        final = cut.stop == function.stages - 1
        return 3 * size.Sc + (0 if final else _hidden(function))
    if cut.form == SCALED:
        # scaled, shifted, and added to the stream and the skips
        return (size.B + size.Sc) * (2 + 2 + 3)
    # a mask is multiplied and decoded at once; skips are added
    return 5 * size.n_src * size.N if _decodes(function, cut) else 3 * size.Sc if not cut.has_tail(function) else 0


def _hidden(function: Function) -> int:
    """Passes of a block between its 1x1 convolutions."""
    kernel = _DEPTHWISE * function.size.P + 2 * (_ACTIVATION[function.activation] + _NORM[function.norm])
    return function.size.H * kernel


def _between(function: Function, cut: Cut) -> int:
    """Passes of what follows the convolution that a piece is of."""
    size = function.size
    if cut.form == PIECE_IN and cut.start == function.stages - 1:
        return _ACTIVATION[function.activation] * size.Sc + 5 * size.n_src * size.N
    if cut.form == PIECE_IN:
        return _NORM[function.norm] * size.N if cut.has_head() else _hidden(function)
    return 3 * piece_channels(function, cut.form, cut.start)[1]


def around(function: Function, coders: str, frames: int, hardware: Hardware) -> Seconds:
    """What the host does before and behind the segments: frames, the encoder, the norm over it, overlapping."""
    size = function.size
    macs = size.N * size.L * frames if coders == HOST or function.norm not in LOCAL_NORMS else 0
    passes = (2 + size.n_src * 3) * size.L + (2 * size.N if macs else 0)
    passes += _NORM[function.norm] * size.N if function.norm not in LOCAL_NORMS else 0
    spent = passes * PASSES * frames / hardware.host_bytes_per_second.value + macs / hardware.host_macs_per_second.value
    return Seconds(host=spent)


def on_host(function: Function, start: int, stop: int, frames: int, hardware: Hardware) -> Seconds:
    """Stages that the host computes, as fast as a good runtime would."""
    return Seconds(host=stage_macs(function, start, stop, frames) / hardware.host_macs_per_second.value)


def stage_macs(function: Function, start: int, stop: int, frames: int) -> int:
    """Multiplications of the stages' convolutions over a whole signal, without the encoder and the decoder."""
    size, total = function.size, 0
    for stage in range(start, stop):
        if stage == 0:
            total += size.N * size.B
        elif stage == function.stages - 1:
            total += size.n_src * size.N * size.Sc
        else:
            res = size.B if stage < function.blocks else 0
            total += size.H * (size.B + size.P + size.Sc + res)
    return total * frames


def network_macs(function: Function, frames: int) -> int:
    """Multiplications of all of the network's convolutions over a whole signal."""
    coding = function.size.N * function.size.L * (1 + function.size.n_src) * frames
    return coding + stage_macs(function, 0, function.stages, frames)
