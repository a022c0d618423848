"""What an entry should claim, by the cases that are known: one inference for `ledger check` and for new entries."""

from __future__ import annotations

from collections.abc import Sequence

from tasnet.suite.ledger import Entry, JudgementKind, reaches
from tasnet.suite.upkeep.narrowing import PlainClaim, conditions_to_add, joined_claim
from tasnet.suite.upkeep.rejudging import JudgedCase, fails_as_stated

_CLAIMED_WRONGLY = (JudgementKind.UNEXPECTED_PASS, JudgementKind.UNCONFIRMED, JudgementKind.WRONG_FAILURE)


def split_claimed(entry: Entry, judged: Sequence[JudgedCase]) -> tuple[list[JudgedCase], list[JudgedCase]]:
    """The cases that an entry claims and that fail as it says, and those that it claims and that don't.

    A case that says nothing of the entry is in neither, nor one that a flaky entry may well let pass.
    """
    right, wrong = list[JudgedCase](), list[JudgedCase]()
    for each in judged:
        so = fails_as_stated(entry, each.record)
        about = entry.id in each.judgement.entries and each.judgement.kind in _CLAIMED_WRONGLY
        if so:
            right.append(each)
        elif about or (so is False and not entry.flaky):
            wrong.append(each)
    return right, wrong


def least_claims(entry: Entry, right: Sequence[JudgedCase], wrong: Sequence[JudgedCase]) -> list[PlainClaim]:
    """The entry's `where` with the fewest conditions added that leave out the wrong cases; all of the right ones stay.

    Empty where it claims no right one.
    """
    least: list[PlainClaim] = []
    for claim in entry.where:
        keep, leave = (
            [each.record.axes for each in those if reaches(claim, each.record.axes)] for those in (right, wrong)
        )
        least += [joined_claim(claim, one) for one in conditions_to_add(claim, keep, leave)]
    return least
