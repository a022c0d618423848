"""What happens where every grouped case fails, and the ledger's updates by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tasnet.suite.cases.case import Case
from tasnet.suite.cases.outcome import Outcome, Stage
from tasnet.suite.cases.profiles import profile_cases
from tasnet.suite.history.run import StoredRun
from tasnet.suite.ledger import parse_ledger
from tasnet.suite.ledger.judgement import PASSING_KINDS
from tasnet.suite.upkeep.rejudging import rejudge
from tasnet.suite.upkeep.updating import LedgerUpdate, plan_update
from tests.doubles.ledgers import PATH
from tests.doubles.outcomes import SUPER_DECONV, outcomes

TODAY = date(2026, 6, 1)
NOTES, MATRIX = profile_cases("notes"), profile_cases("matrix")


def tell(case: Case) -> Mapping[Stage, Outcome]:
    return outcomes(*([SUPER_DECONV] if grouped(case) else []))


def grouped(case: Case) -> bool:
    return case.variant.decoder == "grouped" and case.variant.sources == "all"


def done(text: str, run: StoredRun, **how: str | bool) -> LedgerUpdate:
    return plan_update(text, PATH, run, {}, TODAY, **how)  # type: ignore[arg-type]


def surprises(text: str, run: StoredRun) -> list[str]:
    told = rejudge(run, parse_ledger(text, PATH).entries, TODAY, {})
    return [each.judgement.kind.value for each in told if each.judgement.kind not in PASSING_KINDS]
