"""The day: one for everybody, so that a ledger's `review` is past on the same day on each machine and in CI."""

from __future__ import annotations

from datetime import date, datetime, timezone


def utc_today() -> date:
    """The day now, by UTC."""
    return datetime.now(timezone.utc).date()
