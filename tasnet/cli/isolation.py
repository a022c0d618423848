"""Questions to a toolchain: the smallest graph that shows a blocker, and what would remove it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tasnet.cli.graphs import exported_case, function_of
from tasnet.cli.options import (
    OK,
    WEIGHTS,
    AsJson,
    Shapes,
    UsageError,
    known_arch,
    readable,
    show,
    sizes,
    with_run_options,
)
from tasnet.cli.safe_outputs import output_option
from tasnet.common import print_line, printable, table_lines

if TYPE_CHECKING:
    from onnx import ModelProto

    from tasnet.hailo import Toolchain
    from tasnet.suite.ask import Asker, Change, Isolated, Removals
    from tasnet.suite.cases import Case
    from tasnet.suite.run import RunOptions

COMPILES = 40
"""of the compiler, where --compiles doesn't say"""


@with_run_options("arch", *WEIGHTS, "store", "toolchain", "dfc_python", "limit", "script", "quick")
def isolate(
    options: RunOptions,
    source: Annotated[
        str, typer.Argument(path_type=str, metavar="CASE|FILE.onnx", help="an id, a run tag of the notes, or a graph")
    ],
    output: Annotated[Path, output_option("FOLDER", "a folder, new or empty")],
    family: Annotated[str, typer.Option(metavar="FAMILY", help="the one blocker that is meant")] = "",
    compiles: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="compiles at most (default: 40 of dfc, any of reference)")
    ] = None,
    hours: Annotated[float | None, typer.Option(metavar="H", help="time at most")] = None,
    shape: Shapes = None,
    as_json: AsJson = False,
) -> int:
    """Cut each blocker down to the smallest graph that shows it.

    And find the smallest changes of a case that remove it. Each graph is written with drawn weights and numbered names,
    and with a program that repeats it: a folder for the vendor. Every answer is kept in the store: stopped at any time,
    the same command goes on where it was. Exits 2 where there is no blocker, it doesn't repeat, or the toolchain
    contradicts itself; nothing is written then.

    Example: tasnet isolate truncate-k-1-project -o isolated
    """
    if hours is not None and not 0 < hours <= 24 * 365:
        raise UsageError(f"--hours {hours:g}: more than 0, and a year at most")
    known_arch(options.arch)
    from tasnet.suite.ask import (
        Asker,
        Budget,
        check_folder,
        dead_nodes,
        embedded_toolchain,
        vacuous_in_graphs,
        write_isolated,
    )
    from tasnet.suite.ask import isolate as isolated
    from tasnet.suite.run import Store, open_compiler, open_store

    check_folder(output)
    case = _case(options, source, shape)
    options = replace(options, arch=case.arch) if case else options
    choice, root = options.toolchain_options(), options.store_root()
    tool: Toolchain = (
        open_compiler(choice, recordings=False)
        if choice.name == "dfc"
        else embedded_toolchain(Store(root), options.arch)
    )
    case, model, settled, function = _graph(options, case, source, shape)
    vacuous = list(vacuous_in_graphs(case)) if case else []
    if not case and (dead := dead_nodes(model)):
        first = printable(dead[0])
        change = "1 node changes" if len(dead) == 1 else f"{len(dead)} nodes change"
        vacuous.append(f"{change} nothing: no output depends on them, the first is {first}")
    usual = None if tool.exhaustive else COMPILES
    budget = Budget(usual if compiles is None else compiles, None if hours is None else 3600 * hours)
    asker = Asker(open_store(root), tool, options.arch, budget)
    found = isolated(asker, settled, family, lambda line: print_line(line, error=True))
    removed = _removals(options, case, found) if case else None
    more = {
        "case": case.id if case else None,
        "function": function,
        "vacuous": vacuous,
        "changes": _as_json(removed),
    }
    summary = write_isolated(output, found, asker, more)
    show(summary if as_json else _lines(output, found, asker, removed, vacuous, function))
    return OK


def _case(options: RunOptions, source: str, shape: list[str] | None) -> Case | None:
    """The case that is meant, None for a file."""
    from tasnet.suite.cases import parse_case

    if source.endswith(".onnx") or Path(source).is_file():
        if options.checkpoint:
            raise UsageError(f"--checkpoint {options.checkpoint}: {source} has weights of its own; name a case")
        return None
    if shape:
        raise UsageError(f"--shape: a case has its sizes; it is for an .onnx, and {printable(source)} is no file")
    return parse_case(source, options.arch)


def _graph(
    options: RunOptions, case: Case | None, source: str, shape: list[str] | None
) -> tuple[Case | None, ModelProto, ModelProto, str]:
    """The case at its weights' size, the graph as it is, and settled; whether it keeps the trained function."""
    from tasnet.hailo.translate import settled_model

    if case:
        from tasnet.suite.cases import case_function

        case, model, trained = exported_case(options, case)
        return case, model, settled_model(model), case_function(case, trained.form).text
    path = readable(Path(source), "an .onnx")
    settled = settled_model(path, sizes(shape))
    import onnx

    # settled first: the file was checked by it
    return None, onnx.load(str(path), load_external_data=False), settled, function_of(path).text


def _removals(options: RunOptions, case: Case, found: tuple[Isolated, ...]) -> Removals | None:
    from tasnet.suite.ask import removals
    from tasnet.suite.run import ToolchainOptions, open_pipeline

    pipeline = open_pipeline(options.store_root(), ToolchainOptions(), options.recipe())
    wanted = [(each.blocker.stage, each.blocker.family) for each in found]
    return removals(pipeline, case, wanted, lambda line: print_line(line, error=True))


# --- shown


def _lines(
    folder: Path,
    found: tuple[Isolated, ...],
    asker: Asker,
    removed: Removals | None,
    vacuous: list[str],
    function: str,
) -> Iterator[str]:
    from tasnet.suite.ask import folder_of, repeat_commands, size_line

    tool = asker.tool
    word = "predicted by" if tool.predicted else "said by"
    for each in found:
        at = f"{folder}/{folder_of(each, found)}"
        embedded, compiler = repeat_commands(each, asker, at)
        yield f"{each.blocker.family} at {each.blocker.stage}: {word} {tool.name} {tool.version} on {asker.arch}"
        yield f"  smallest  {size_line(each)}"
        yield f"  says      {' '.join(each.failure.message.split())[:160]}"
        yield f"  repeat    {embedded}"
        yield f"            {compiler}  (with the compiler's Python)"
        if each.unfinished:
            yield f"  left      {each.unfinished}"
        if removed:
            yield from (f"  {line}" for line in _removed_lines(removed, each))
    if removed and removed.together:
        change = removed.together
        yield f"together  {change.text}: {change.verdict}{_brings(change)}; {change.kind.value}"
    if removed and removed.untried:
        yield f"untried   {removed.untried} changes of two axes: more than are predicted at a time"
    yield f"function  {printable(function)}"
    yield from (f"vacuous   {line}" for line in vacuous)
    unlearned = f", {asker.unlearned} taught nothing" if asker.unlearned else ""
    yield f"compiles  {asker.compiles} run, {asker.kept} known from before{unlearned}, {asker.spent:.0f} s"
    yield f"{folder}: a folder for each blocker, fit to send, and isolated.json, which names the case"


def _removed_lines(removed: Removals, each: Isolated) -> Iterator[str]:
    changes = removed.by.get((each.blocker.stage, each.blocker.family), ())
    if not changes:
        yield "removed   by no change of one or two axes that was predicted"
        return
    rows = [["removed by", "", "predicted", "layers", "MMACs", "weights", "widest row"]]
    rows += [
        [
            change.text,
            _function(change, removed.inexact_axes),
            f"{change.verdict}{_brings(change)}",
            _with_change(change.cost.layers, removed.before.layers),
            _with_change(change.cost.macs // 10**6, removed.before.macs // 10**6),
            _with_change(change.cost.weights, removed.before.weights),
            _with_change(change.cost.widest_row, removed.before.widest_row),
        ]
        for change in changes
    ]
    yield from table_lines(rows)


def _function(change: Change, before: tuple[str, ...]) -> str:
    """What becomes of the function, and on which axes it is another than the trained one where it was not before."""
    away = [axis for axis in change.inexact_axes if axis not in before]
    return change.kind.value + (f" on {', '.join(away)}" if away else "")


def _brings(change: Change) -> str:
    return f", brings {', '.join(change.brings)}" if change.brings else ""


def _with_change(after: int, before: int) -> str:
    return f"{after:,}" + (f" ({after - before:+,})" if after != before else "")


def _as_json(removed: Removals | None) -> dict[str, Any] | None:
    if removed is None:
        return None
    return {
        "before": asdict(removed.before),
        "removed_by": [
            {"stage": stage, "family": family, "changes": [_change_json(change) for change in changes]}
            for (stage, family), changes in removed.by.items()
        ],
        "together": _change_json(removed.together) if removed.together else None,
        "tried": removed.tried,
        "untried": removed.untried,
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "case": change.case.id,
        "axes": {axis: {"from": before, "to": after} for axis, before, after in change.axes},
        "kind": change.kind.value,
        "inexact_axes": list(change.inexact_axes),
        "predicted": change.verdict,
        "brings": list(change.brings),
        "cost": asdict(change.cost),
    }
