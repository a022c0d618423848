"""What a run says comes next: a command that fits, and that is one."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from tasnet.cli.app import command_line
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.ledger.judgement import PASSING_KINDS, JudgementKind
from tasnet.suite.report.terminal import next_steps
from tests.doubles.outcomes import DFC, SUPER_DECONV, outcomes
from tests.doubles.stored_runs import ended_record

WRONG = [kind for kind in JudgementKind if kind not in PASSING_KINDS]
CASE = profile_cases("notes")[0].id


def _parsed(line: str) -> str:
    """The command of a line, which a call would take as it stands; its name."""
    words = shlex.split(line)
    assert words.pop(0) == "tasnet"
    command: Any = command_line()
    names = []
    while hasattr(command, "commands"):
        names.append(words.pop(0))
        command = command.commands[names[-1]]
    command.make_context(names[-1], words)
    return " ".join(names)


@pytest.mark.parametrize("kind", WRONG, ids=lambda kind: kind.value)
def test_each_kind_of_surprise_names_a_command_with_its_store_and_ledger(kind: JudgementKind) -> None:
    record = ended_record(CASE, outcomes(SUPER_DECONV)).model_copy(update={"kind": kind, "repeat": 'pytest "the case"'})
    _, such_as, line = next_steps([record], " --store 'else where'", " --ledger strict.yaml")
    assert CASE in such_as
    if kind in (JudgementKind.INFRA, JudgementKind.UNCLASSIFIED):
        assert line.strip() == record.repeat
    elif kind is JudgementKind.OFF_RATE:
        assert line.strip() == f"tasnet trend '{CASE}' --store 'else where'"
        assert _parsed(line) == "trend"
    else:
        assert line.endswith(" --store 'else where' --ledger strict.yaml")
        assert _parsed(line) in ("ledger update", "ledger check")


def test_what_nothing_surprises_in_goes_on_to_the_compiler_or_in_pieces() -> None:
    clear, blocked = ended_record(CASE, outcomes()), ended_record(CASE, outcomes(SUPER_DECONV))
    expected = [
        each.model_copy(update={"kind": kind})
        for each, kind in ((clear, JudgementKind.EXPECTED_PASS), (blocked, JudgementKind.EXPECTED_FAILURE))
    ]
    *_, line = next_steps(expected, " --store kept")
    assert _parsed(line.partition(" says ")[0]) == "suggest"
    *_, line = next_steps(expected[1:])
    assert _parsed(line.partition(" cuts ")[0]) == "plan make"
    observed = ended_record(CASE, outcomes(by=DFC)).model_copy(update={"kind": JudgementKind.EXPECTED_PASS})
    assert next_steps([observed]) == ["all as the ledger says; nothing to do"]
