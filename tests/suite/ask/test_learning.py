"""What observations change: worked out from the evidence, with each change and what refutes what."""

from __future__ import annotations

import pytest

from tasnet.hailo import Certainty
from tasnet.hailo.files import Layer, Network
from tasnet.hailo.predict import PUBLIC_BRACKET, PUBLIC_RECORD, Bracket, Observations, demands_of, predict_network
from tasnet.suite.ask.hypotheses import refuted_hypotheses
from tasnet.suite.ask.knowledge import Reply
from tasnet.suite.ask.learning import Learned, learned, learned_lines
from tasnet.suite.ask.question import Question, rule_verdict
from tasnet.suite.ask.replies import StoredReplies, TimedReply
from tasnet.suite.cases import parse_case
from tasnet.suite.observed.evidence import Evidence
from tests.doubles.ledgers import entry_text, ledger
from tests.doubles.outcomes import DFC, outcomes
from tests.suite.ask.layers import conv, depthwise


def question(name: str, *layers: Layer, known: Observations = PUBLIC_RECORD) -> Question:
    """A question of these layers, as predicted by what is known."""
    network = Network("net", layers, ())
    return Question(name, demands_of(network), rule_verdict(predict_network(network, "hailo8", known)))


def told(name: str, compiled: bool, *layers: Layer, family: str = "", version: str = "3.33.0") -> TimedReply:
    """A reply on a graph of these layers."""
    asked = question(name, *layers)
    said = f"{name}: {'compiled' if compiled else family}; dfc {version}, hailo8"
    return TimedReply(Reply(asked.demands, compiled, name, said, f"dfc {version}", family), asked.predicted)


def after(*replies: TimedReply, layers: tuple[Layer, ...] = ()) -> Learned:
    """What the replies change of one graph."""
    stored_replies = StoredReplies(replies)
    was = [question("asked", *layers)] if layers else []
    now = [question("asked", *layers, known=stored_replies.observations)] if layers else []
    return learned(StoredReplies(()), stored_replies, (was, now))


WIDE = conv(1800, 256, 256)
"""a row of 460,800, inside the bracket"""


def test_a_row_that_failed_moves_the_bracket_and_the_verdict_of_a_graph_that_nobody_asked() -> None:
    other = depthwise(900, 512, 1)
    found = after(told("piece", False, conv(1750, 256, 256), family="agent_infeasible"), layers=(other,))
    assert found.brackets == (PUBLIC_BRACKET, Bracket(384_000, 448_000))
    (change,) = found.changed
    assert change.before == "predicted: unknown, extrapolated"
    assert change.after == "predicted: blocked, extrapolated (agent_infeasible)"
    assert any(
        "rows: the limit was in 384,000 to 512,000, now 384,000 to 448,000" in each for each in learned_lines(found)
    )


def test_observed_inferred_and_predicted_are_three_words() -> None:
    failed = told("narrower", False, conv(1700, 256, 256), family="agent_infeasible")
    (inferred,) = after(failed, layers=(WIDE,)).changed
    assert inferred.after == "inferred from narrower, which failed: blocked"
    (observed,) = after(told("it", True, WIDE), layers=(WIDE,)).changed
    assert observed.after == "observed: compiled"
    assert observed.before.startswith("predicted: ")


@pytest.mark.parametrize(
    ("reply", "refuted"),
    [
        (told("a", True, conv(3000, 256, 256)), "no row of 512,000"),
        (told("a", False, conv(100, 8, 8), family="agent_infeasible"), "rows up to 384,000"),
        (told("a", False, conv(2000, 256, 256), family="reshape_insertion"), "composite"),
        (told("a", True, conv(1999, 256, 256)), "prime width"),
        (told("a", True, depthwise(2100, 512, 1)), "16 KiB"),
        (told("a", True, conv(1000, 256, 256)), ""),
        (told("a", False, conv(2000, 256, 256), family="agent_infeasible"), ""),
        (told("a", False, conv(1999, 256, 256), family="reshape_insertion"), ""),
        (told("a", False, conv(100, 8, 8), family="memory_units"), ""),
    ],
)
def test_a_hypothesis_is_refuted_by_what_its_rule_says_would(reply: TimedReply, refuted: str) -> None:
    found = refuted_hypotheses([reply.reply])
    assert any(refuted in text for text in found) if refuted else not found
    lines = [*learned_lines(after(reply))]
    assert any(line.startswith("refuted: ") and refuted in line for line in lines) == bool(refuted)


def test_contradicting_observations_stand_side_by_side_with_their_versions() -> None:
    found = after(
        told("one", False, WIDE, family="agent_infeasible"), told("one", True, WIDE, version="3.34.0"), layers=(WIDE,)
    )
    lines = [*learned_lines(found)]
    assert any("dfc 3.33.0" in line and "failed" in line for line in lines)
    assert any("dfc 3.34.0" in line and "compiled" in line for line in lines)
    assert found.changed[0].after == "observed: failed and compiled"
    # neither moves the bracket
    assert found.brackets == (PUBLIC_BRACKET, PUBLIC_BRACKET)


def test_an_entry_whose_case_compiled_is_to_be_looked_at() -> None:
    case = parse_case("concat-normal-grouped-all")
    entries = ledger(entry_text("grouped", toolchain='{dfc: "*"}')).entries
    run = Evidence(case_id=case.id, tag=case.id, outcomes=tuple(outcomes(by=DFC).values())[1:])
    (line,) = learned(StoredReplies(()), StoredReplies(()), new=[run], entries=entries).entries
    assert line.startswith("grouped: claims concat-normal-grouped-all, observed otherwise (compiled); ledger.yaml:")


def test_the_rules_record_counts_each_verdict_and_its_certainty() -> None:
    found = after(
        told("a", True, depthwise(100, 8, 1)), told("b", False, depthwise(200, 8, 1), family="agent_infeasible")
    )
    ((verdict, counts),) = found.record.counts.items()
    assert verdict[1] is Certainty.EXTRAPOLATED
    assert counts == (1, 1)
    assert [*learned_lines(learned(StoredReplies(()), StoredReplies(())))] == ["nothing changed"]
