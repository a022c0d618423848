"""The ledger itself: no entry that claims nothing, none past its day of review."""

from datetime import date
from functools import cache

import pytest

from tasnet.suite.cases.profiles import PROFILES, profile_cases
from tasnet.suite.ledger import Entry, entries_without_cases

pytestmark = pytest.mark.compile


@cache
def shipped() -> list[dict[str, str | int]]:
    """The axes of every case of every profile."""
    return [case.axes() for name in PROFILES for case in profile_cases(name)]


def test_entry_claims_a_case_of_a_shipped_profile(entry: Entry) -> None:
    if entries_without_cases([entry], shipped()):
        pytest.fail(f"{entry.place}: entry {entry.id} claims no case; remove it or mend `where`", pytrace=False)


def test_entry_is_not_past_its_review(entry: Entry, today: date) -> None:
    if entry.review < today:
        pytest.fail(
            f"{entry.place}: entry {entry.id} was to be reviewed by {entry.review}"
            f"{f', by {entry.owner}' if entry.owner else ''}; "
            "look whether it still holds, then set `review` to a later day",
            pytrace=False,
        )
