"""`tasnet plan run`: a wav, or a stream, through the segments of a plan."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasnet.cli.options import OK, PlanAt, UsageError, readable
from tasnet.cli.safe_outputs import output_option
from tasnet.common import print_line

if TYPE_CHECKING:
    from tasnet.plan import SeparationResult


def run(
    at: PlanAt,
    mix: Annotated[Path, typer.Option("--mix", metavar="WAV", help="a mono wav at the network's rate; - for stdin")],
    output: Annotated[Path, output_option("FOLDER", "for source1.wav, …; - for stdout")],
    executor: Annotated[
        str, typer.Option(metavar="NAME", help="onnx (ONNX Runtime), har (native HAR), simulated (8 bits) or hailort")
    ] = "onnx",
    cut_bits: Annotated[
        int | None, typer.Option(metavar="8|16", help="simulated: bits of what crosses a cut (default: 8)")
    ] = None,
    sample_format: Annotated[
        str | None, typer.Option("--format", metavar="s16|f32", help="of stdin: raw PCM or float, mono (default: s16)")
    ] = None,
    rate: Annotated[float | None, typer.Option(metavar="HZ", help="of stdin (default: the network's)")] = None,
) -> int:
    """Separate a wav with a plan, on this machine.

    In float what the uncut network gives; or on its chip, compiled. Simulated, each segment runs at a8_w8, calibrated
    by the recordings that the plan was made with; what that loses against the same plan in float is printed.

    A plan for streams takes raw samples from stdin, little-endian: 16-bit PCM, or 32-bit float. To stdout go the
    sources' samples side by side, 32-bit float, as soon as a block is computed; to FOLDER wavs when the stream ends.

    Example: tasnet plan run plan --mix mix.wav -o separated
    """
    from tasnet.cli.plan_progress import invocations_bar
    from tasnet.plan import separate_wav

    if cut_bits not in (None, 8, 16):
        raise UsageError(f"--cut-bits {cut_bits}: 8 or 16")
    if cut_bits is not None and executor != "simulated":
        raise UsageError(f"--cut-bits {cut_bits}: of --executor simulated alone")
    if str(mix) == "-":
        return _run_stream(at, output, executor, sample_format or "s16", rate)
    if sample_format is not None or rate is not None or str(output) == "-":
        raise UsageError(f"--mix {mix}: --format, --rate and -o - are for a stream from stdin, --mix -")
    with invocations_bar(sys.stderr) as tell:
        ran = separate_wav(at, readable(mix, "a wav"), output, executor, cut_bits or 8, tell)
    losses = zip(ran.loss.snr, ran.loss.si_sdr, strict=True) if ran.loss else ()
    against = [f"; SNR {snr:.1f} dB, SI-SDR {si_sdr:.1f} dB against the plan in float" for snr, si_sdr in losses]
    for path, lost in zip(ran.files, against or [""] * len(ran.files), strict=True):
        print_line(f"{path}: {ran.samples} samples at {ran.rate} Hz{lost}")
    if ran.loss:
        print_line("note: 8 bits are simulated: predicted, nothing was observed", error=True)
    if ran.by_host:
        print_line("note: shorter than the plan's windows: the host computed the whole network", error=True)
    _tell_time(ran, ran.seconds)
    return OK


def _tell_time(ran: SeparationResult, seconds: float, *, error: bool = False) -> None:
    """How long a run took, whose share was what, and whether a chip was there."""
    if ran.double:
        print_line("note: a test double was in the chip's place: nothing was observed", error=True)
    total = sum(ran.spent.values()) or 1.0
    shares = ", ".join(f"{name} {share / total:.0%}" for name, share in ran.spent.items())
    print_line(f"real-time factor {seconds * ran.rate / ran.samples:.3f} on this machine: {shares}", error=error)


def _run_stream(at: Path, output: Path, executor: str, sample_format: str, rate: float | None) -> int:
    """A stream from stdin. What is told goes to stderr: stdout may be the estimates'."""
    from tasnet.plan import separate_stream

    if sys.stdin.isatty():
        raise UsageError("--mix -: nothing is piped in; name a wav, or pipe raw samples")
    target = sys.stdout.buffer if str(output) == "-" else output
    ran = separate_stream(at, sys.stdin.buffer, target, executor, sample_format, rate)
    for path in ran.files:
        print_line(f"{path}: {ran.samples} samples at {ran.rate} Hz", error=True)
    # Its own time, and not the stream's, which it waits for.
    _tell_time(ran, sum(ran.spent.values()), error=True)
    return OK
