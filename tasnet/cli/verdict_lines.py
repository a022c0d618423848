"""The embedded toolchain's verdict on a graph, as JSON and as lines for a person: predicted, and said so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tasnet.common import printable, short_layers
from tasnet.hailo import Failure
from tasnet.hailo.predict import Observations, Prediction, Reference

if TYPE_CHECKING:
    from tasnet.suite.run import ModelFunction


def as_json(verdict: Prediction, arch: str, function: ModelFunction, known: Observations) -> dict[str, Any]:
    """The object that `tasnet check --json` prints; its keys are stable."""
    tool = Reference()
    return {
        "verdict": verdict.kind.value,
        "certainty": verdict.certainty.value,
        "predicted": tool.predicted,
        "toolchain": {"name": tool.name, "version": tool.version},
        "arch": arch,
        "blockers": [_blocker(failure) for failure in verdict.blockers],
        "doubts": [_blocker(failure) for failure in (*verdict.doubts, *verdict.cautions)],
        "assumptions": [{"kind": each.kind.value, "text": each.text} for each in verdict.assumptions],
        "function": {
            "word": function.kept.same.value,
            "departures": list(function.kept.departures),
            "case": function.case.id if function.case else None,
            "si_sdr_db": function.si_sdr_db,
            "why": function.why,
        },
        "bracket": [known.bracket.passes, known.bracket.fails],
    }


def lines(verdict: Prediction, arch: str, function: ModelFunction, known: Observations) -> Iterator[str]:
    """The verdict, who says it, and each blocker with its evidence."""
    tool = Reference()
    yield f"{verdict.kind.value} on {arch}: predicted by the embedded toolchain, not observed"
    yield f"  toolchain {tool.name} {tool.version}"
    unread = [doubt for doubt in verdict.doubts if doubt.stage == "translate"]
    yield f"  rests on  {_UNREAD if unread else _RESTS_ON[verdict.certainty.value]}"
    yield f"  function  {printable(function.text)}"
    if known.line:
        yield f"  observed  {known.line}"
    for each in verdict.assumptions:
        yield f"  assumed   {printable(each.text)}"
    yield from _failures("blocker", verdict.blockers)
    yield from _failures("doubt", (*verdict.doubts, *verdict.cautions))


_RESTS_ON = {
    "observed": "observed: a real compiler said so of layers of this kind and size",
    "extrapolated": "extrapolated: a reading of what was observed, which nobody has confirmed",
}


_UNREAD = "nothing: the embedded translator can't read the graph, no layer was judged, and nobody asked a compiler"


def _blocker(failure: Failure) -> dict[str, Any]:
    keys = {"family", "layers", "message", "figures", "evidence", "certainty"}
    return failure.model_dump(mode="json", include=keys)


def _failures(what: str, failures: Sequence[Failure]) -> Iterator[str]:
    for failure in failures:
        message = " ".join(failure.message.split())
        # what to do stands at the end of what the translator says
        most = 400 if failure.stage == "translate" else 160
        figures = ", ".join(f"{name} {value}" for name, value in failure.figures.items())
        yield ""
        yield f"predicted {what}: {failure.family} at {failure.stage}"
        for label, text in (
            ("layers", short_layers(failure.layers)),
            ("says", message if len(message) <= most else message[: most - 1] + "…"),
            ("figures", figures),
            ("rests on", _UNREAD if failure.stage == "translate" else _RESTS_ON[failure.certainty.value]),
            ("evidence", failure.evidence),
        ):
            if text:
                yield f"  {label:10}{text}"
