"""`tasnet evidence`: what compilers said, shared and imported, and what it changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasnet.cli.commands import Commands
from tasnet.cli.options import (
    OK,
    Arch,
    LedgerAt,
    RootAt,
    StoreAt,
    UsageError,
    known_arch,
    readable,
    show,
    store_at,
    usual_ledger,
)
from tasnet.common import print_line

if TYPE_CHECKING:
    from tasnet.suite.cases import Case
    from tasnet.suite.ledger import Ledger
    from tasnet.suite.observed import SharedEvidence
    from tasnet.suite.run import Store

ProfileOption = Annotated[
    str,
    typer.Option("--profile", metavar="NAME", help="a profile but plans; all of them, or none"),
]


evidence = Commands(
    help="Share what compilers said of graphs, and learn from others'.", example="tasnet evidence export evidence.json"
)

At = Annotated[Path, typer.Argument(metavar="FILE", help="exported evidence, a JSON to review")]


@evidence.command(name="export")
def export_(
    at: Annotated[Path, typer.Argument(writable=True, metavar="FILE", help="the file to write, a JSON to review")],
    store: StoreAt = None,
    root: RootAt = None,
) -> int:
    """Write the observed evidence of a store as one file.

    To review and to share: who said what of which graph. It holds no weights, recordings or compiled files. A file that
    is there isn't overwritten.

    Example: tasnet evidence export evidence.json
    """
    from tasnet.suite.observed import export_evidence
    from tasnet.suite.run import Store

    count = export_evidence(Store(store_at(store, root)), at)
    print_line(f"{at}: {count} observed runs; keep them elsewhere with: tasnet evidence import {at.name}")
    return OK


@evidence.command(name="import")
def import_(
    at: At,
    profile: ProfileOption = "none",
    arch: Arch = "hailo8",
    store: StoreAt = None,
    root: RootAt = None,
    ledger: LedgerAt = None,
) -> int:
    """Keep exported evidence, and say what it changes.

    The rows' bracket, verdicts, hypotheses, ledger entries. A file of another schema, or with a record that claims more
    than its own outcomes carry, is refused whole. What is in the store already stays. With --profile also that
    profile's cases whose verdict changes.

    Example: tasnet evidence import evidence.json --profile notes
    """
    from tasnet.suite.observed import everything_observed, import_evidence, read_evidence
    from tasnet.suite.run import open_store

    known_arch(arch)
    cases = asked_cases(profile, arch, None) if profile != "none" else ()
    entries = usual_ledger(ledger, root)
    found = read_evidence(readable(at, "exported evidence"))
    kept_in = open_store(store_at(store, root))
    known = everything_observed(kept_in)
    kept = len(import_evidence(kept_in, found))
    print_line(f"{at}: kept {kept}, known {len(found) - kept}")
    show_news(cases, arch, kept_in, entries, known)
    return OK


@evidence.command(name="show")
def show_(
    profile: ProfileOption = "none",
    arch: Arch = "hailo8",
    store: StoreAt = None,
    root: RootAt = None,
    ledger: LedgerAt = None,
) -> int:
    """Say what the store's evidence changes against the public record.

    Imported runs and own ones alike. The rows' bracket, refuted hypotheses, contradicting observations side by side,
    ledger entries to look at; with --profile also its cases whose verdict changed.

    Example: tasnet evidence show --profile notes
    """
    from tasnet.suite.run import Store

    known_arch(arch)
    cases = asked_cases(profile, arch, None) if profile != "none" else ()
    show_news(cases, arch, Store(store_at(store, root)), usual_ledger(ledger, root))
    return OK


def show_news(
    cases: tuple[Case, ...], arch: str, store: Store, ledger: Ledger | None, known: SharedEvidence | None = None
) -> None:
    """Prints what the store's evidence changes against what was `known` of it, or against the public record."""
    from tasnet.suite.ask import NOTHING, news_lines

    show(news_lines(store, cases, arch, ledger.entries if ledger else (), known or NOTHING))


def asked_cases(profile: str, arch: str, plans: list[Path] | None) -> tuple[Case, ...]:
    """The cases that are asked about: of one profile, of all, or none beside plans. Raises UsageError, CaseError."""
    from tasnet.suite.cases import PROFILES, profile_cases

    if profile == "none" and not plans:
        raise UsageError("--profile none: ask about what? name a plan with --plan")
    names = [] if profile == "none" else PROFILES if profile == "all" else [profile]
    return tuple(dict.fromkeys(case for name in names for case in profile_cases(name, arch)))
