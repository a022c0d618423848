"""The commands of the ledger: what is wrong with it, what the last run changes in it, why a case is judged so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from tasnet.cli.commands import Commands
from tasnet.cli.options import (
    NOT_CLEAR,
    OK,
    AsJson,
    LedgerAt,
    RootAt,
    StoreAt,
    UsageError,
    ledger_path,
    show,
    store_at,
)
from tasnet.common import counted, labelled_line, print_line, printable, utc_today

if TYPE_CHECKING:
    from tasnet.suite.history import StoredRun
    from tasnet.suite.upkeep import LedgerFinding, LedgerUpdate

commands = Commands(
    help="Keep the list of known blockers honest.", example="tasnet ledger explain truncate-k-1-project"
)

RunNamed = Annotated[str, typer.Option("--run", metavar="ID", help="a stored run (default: the last one)")]


@commands.command()
def schema() -> int:
    """Print the JSON Schema of the ledger, for an editor or a check.

    Example: tasnet ledger schema > ledger.schema.json
    """
    from tasnet.suite.ledger import json_schema

    print(json.dumps(json_schema(), indent=2))
    return OK


@commands.command()
def check(
    ledger: LedgerAt = None,
    run: RunNamed = "",
    over: Annotated[int, typer.Option(metavar="N", min=1, help="judge staleness over the last N whole runs")] = 1,
    base: Annotated[
        str, typer.Option(metavar="REV", help="the revision from which the budget may only shrink")
    ] = "HEAD",
    store: StoreAt = None,
    root: RootAt = None,
    as_json: AsJson = False,
) -> int:
    """Say what is wrong with the ledger.

    By itself, against the last run, and against what is committed: dead, stale, overlapping, shadowed, too broad, too
    narrow, expired, ownerless, off rate, budget, grown, and cases of the run that were not compiled or whose tool broke
    down. An entry to be reviewed within a week is warned of. Exits 0 when nothing is wrong, 1 when something is.

    Example: tasnet ledger check --base origin/main --over 5
    """
    from tasnet.suite.history import UnreadableRun, run_heads
    from tasnet.suite.ledger import read_ledger
    from tasnet.suite.upkeep import (
        check_ledger,
        entries_out_of_scope,
        flaky_history,
        last_whole_runs,
        latest_run,
        ledger_at,
        named_or_last_run,
        records_beside,
        same_setup_as,
    )

    at = ledger_path(ledger, root)
    now, before, place = read_ledger(at), ledger_at(at, base), store_at(store, root)
    found = named_or_last_run(place, run) if run else latest_run(place)
    notes = [] if found else [f"{place}: no run is stored there; the ledger is checked by itself"]
    runs = [found] if found else []
    if found and over > 1:
        runs = last_whole_runs(place, same_setup_as(found.head), over)
        if len(runs) < over:
            notes.append(f"{len(runs)} whole runs of {found.head.profile} are stored, not {over}")
    later = [
        each for each in run_heads(place) if isinstance(each, UnreadableRun) and (not runs or each.id > runs[0].id)
    ]
    notes += [
        f"run {each.id} can't be read, and says nothing: {each.reason}" for each in later if not each.other_version
    ]
    if foreign := [each for each in later if each.other_version]:
        notes.append(f"{len(foreign)} of the stored runs are another version's, and say nothing: {foreign[-1].reason}")
    if runs and not runs[0].whole:
        notes.append(f"run {runs[0].id} has {len(runs[0].records)} of {counted(runs[0].head.cases, 'case')}")
    if runs and (silent := entries_out_of_scope(now, runs[0])):
        notes.append(f"run {runs[0].id} says nothing of {', '.join(silent)}")
    if before.why:
        notes.append(f"the budget is held against nothing: {before.why}")
    past = flaky_history(place, now.entries, runs[0].head, runs[0].id) if runs else {}
    beside = records_beside(place, runs[0]) if runs else ()
    findings = check_ledger(now, runs, past, utc_today(), before, beside)
    if as_json:
        of = [each.id for each in runs]
        show(
            {
                "ledger": str(at),
                "runs": of,
                "base": base,
                "findings": [f.as_json() for f in findings],
                "notes": notes,
            }
        )
    else:
        show(line for finding in findings for line in finding.lines())
        against = f", held against run {runs[0].id}" if runs else ""
        show(
            iter(
                [
                    *(f"note: {note}" for note in notes),
                    f"{at}: {counted(len(now.entries), 'entry', 'entries')}{against}: {_count(findings)}",
                ]
            )
        )
    return NOT_CLEAR if any(not finding.warning for finding in findings) else OK


def _count(findings: Sequence[LedgerFinding]) -> str:
    wrong = sum(not finding.warning for finding in findings)
    warned = len(findings) - wrong
    text = f"{wrong} wrong" if wrong else "nothing wrong"
    return f"{text}, {warned} warned of" if warned else text


@commands.command()
def update(
    ledger: LedgerAt = None,
    run: RunNamed = "",
    write: Annotated[bool, typer.Option("--write", help="write the file; else the difference is only shown")] = False,
    shrink_only: Annotated[
        bool, typer.Option("--shrink-only", help="narrow and remove; leave new failures alone")
    ] = False,
    allow_new: Annotated[str, typer.Option(metavar="REASON", help="why there may be new entries")] = "",
    store: StoreAt = None,
    root: RootAt = None,
    as_json: AsJson = False,
) -> int:
    """Bring the ledger in line with a stored run.

    Entries are narrowed and removed, and with a reason some are added. A predicted run changes what entries say of the
    embedded toolchain, and nothing observed. Exits 1 when failures are left that no entry covers.

    Example: tasnet ledger update --shrink-only --write
    """
    from tasnet.suite.ledger import ledger_text, read_ledger
    from tasnet.suite.upkeep import flaky_history, named_or_last_run, plan_update, records_beside, update_ledger

    if shrink_only and allow_new:
        raise UsageError("--shrink-only and --allow-new: one or the other")
    if allow_new and not allow_new.strip():
        raise UsageError("--allow-new: say why there may be new entries")
    at, place = ledger_path(ledger, root), store_at(store, root)
    entries = read_ledger(at).entries
    base = named_or_last_run(place, run)
    past = flaky_history(place, entries, base.head, base.id)
    beside = records_beside(place, base) if allow_new else ()
    done = plan_update(
        ledger_text(at),
        at,
        base,
        past,
        utc_today(),
        allow_new=allow_new,
        shrink_only=shrink_only,
        beside=beside,
    )
    if not as_json:
        show(_update_lines(done, base))
    if write and done.before != done.after:
        done = update_ledger(at, base, past, utc_today(), allow_new=allow_new, shrink_only=shrink_only, beside=beside)
        if not as_json:
            print_line(f"{at}: written")
    elif done.before != done.after and not as_json:
        print_line(f"{at}: not written; add --write")
    if as_json:
        changes = [{"entry": each.entry, "what": each.what, "told": each.told} for each in (*done.changes, *done.left)]
        show(
            {
                "ledger": str(at),
                "run": base.id,
                "written": write and done.before != done.after,
                "diff": done.diff,
                "changes": changes,
            }
        )
    return NOT_CLEAR if done.left and not shrink_only else OK


def _update_lines(done: LedgerUpdate, run: StoredRun) -> Iterator[str]:
    from tasnet.suite.cases import Verdict

    yield from done.diff.splitlines()
    head = run.head
    word = "predicted" if any(record.predicted for record in run.records) else "observed"
    of = (
        f"{len(run.records)} of {counted(head.cases, 'case')}, {word} by {head.toolchain} {head.version} on {head.arch}"
    )
    yield f"run {run.id}: {of}"
    for verdict in (Verdict.NOT_COMPILED, Verdict.UNCLASSIFIED, Verdict.BROKE_DOWN):
        if untold := sum(record.verdict is verdict for record in run.records):
            yield f"          {untold} of them {verdict.word}: they say nothing of the ledger"
    for change in done.changes:
        yield f"{change.what:9} {change.entry}: {change.told}"
    for change in done.left:
        yield f"{change.what:9} {change.entry}: {change.told}"
    if any(change.uncovered for change in done.left):
        yield "          tasnet ledger update --allow-new REASON proposes entries"
    if not done.changes and not done.left:
        yield "the ledger is in line with it"


@commands.command()
def explain(
    case: Annotated[str, typer.Argument(metavar="CASE", help="an id, a run tag of the notes, or axis=value pairs")],
    ledger: LedgerAt = None,
    run: RunNamed = "",
    store: StoreAt = None,
    root: RootAt = None,
    as_json: AsJson = False,
) -> int:
    """Say which entries of the ledger claim a case, and why.

    Which blockers each covers, how it is judged, and which other entries come near. And what is vacuous in it: choices
    that change nothing, so that its result tells nothing of them.

    Of the last stored run that has the case, or of none: then it is what is expected.

    Example: tasnet ledger explain truncate-k-1-project
    """
    from tasnet.hailo.predict import Reference
    from tasnet.suite.ask import ASSUMED, evidence_on_case, known_observations, vacuous_by_key
    from tasnet.suite.cases import parse_any_case
    from tasnet.suite.ledger import read_ledger
    from tasnet.suite.run import Pipeline, Store
    from tasnet.suite.upkeep import (
        explain_case,
        explanation_json,
        explanation_lines,
        flaky_history,
        latest_run,
        named_or_last_run,
    )

    now, meant, place = read_ledger(ledger_path(ledger, root)), parse_any_case(case), store_at(store, root)
    found = named_or_last_run(place, run) if run else latest_run(place, meant.id)
    past = flaky_history(place, now.entries, found.head, found.id) if found else {}
    explanation = explain_case(now, meant, found, past, utc_today())
    vacuous, kept_in = vacuous_by_key(meant), Store(place)
    said = evidence_on_case(Pipeline(kept_in, Reference()), meant)
    if as_json:
        known = said.model_dump(mode="json") if said else None
        show({**explanation_json(explanation), "vacuous": list(vacuous), "by_evidence": known})
        return OK
    lines = [labelled_line("vacuous", line) for line in vacuous]
    if said:
        verdict = "" if said.word.value == "disputed" else f"{'clear' if said.clear else 'blocked'}: "
        lines.append(labelled_line(said.word.value, f"{verdict}{printable(said.text)}"))
    if said and said.word.value == "inferred":
        lines.append(labelled_line("", ASSUMED))
    if found and explanation.record and explanation.record.predicted:
        rests_on = known_observations(kept_in, meant.arch)
        if rests_on.digest != found.head.rests_on:
            told = rests_on.line or "it is the public record again"
            lines.append(labelled_line("note", f"since this run the store's evidence moved, run it again: {told}"))
    show(chain(explanation_lines(explanation), lines))
    return OK
