"""Setup: what the options of a run mean, read once per process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tasnet import __version__
from tasnet.common import TasnetError, collect_garbage_rarely, notify_on_stderr
from tasnet.hailo.predict import PUBLIC_RECORD, Observations
from tasnet.network import PUBLISHED, TrainedForm
from tasnet.suite.ask import known_observations
from tasnet.suite.cases import AnyCase, Outcome, Stage, graph_key
from tasnet.suite.early_options import DEFAULT_PROFILE, PREFIX, TAKEN, add_options
from tasnet.suite.history import RunHead, RunOrigin
from tasnet.suite.ledger import (
    LEDGER_FILE,
    Ledger,
    from_here,
    ledger_of,
    nearest_root,
    other_package,
    read_ledger,
    root_folder,
)
from tasnet.suite.plugin.options import option_values, usage_error
from tasnet.suite.run import (
    KeptPlan,
    Recipe,
    RunOptions,
    Store,
    ToolchainOptions,
    cases_of,
    check_writable,
    file_sha256,
    open_compiler,
)

if TYPE_CHECKING:
    from tasnet.hailo.compiler import Dfc

MARKS: Mapping[str, str] = {
    "compile": "HAR translation and HEF compile against the ledger",
    "numerics": "parity at every stage",
    "device": "on a Hailo-8",
}


@dataclass(frozen=True)
class Setup:
    """What the options mean, read once per process."""

    profile: str
    arch: str
    choice: ToolchainOptions
    compiler: Dfc | None
    """asked for its version; None for the embedded toolchain"""
    repeat: tuple[tuple[str, str], ...]
    """names and values of the options that a command needs to repeat this run"""
    recipe: Recipe
    """where the weights come from"""
    root: Path
    """where ledger, store and limits are, unless they are named"""
    store: Path
    ledger: Ledger
    cases: tuple[AnyCase, ...]
    plans: tuple[KeptPlan, ...] = ()
    """where the cases come from plans: each network's"""
    of: int = 0
    """how many cases the profile has, with those named beside them"""
    named: tuple[str, ...] = ()
    """the cases' names where some are named"""
    assumed: tuple[str, ...] = ()
    """what the checkpoint doesn't say and was assumed"""
    trained: TrainedForm = PUBLISHED
    """how the checkpoint was trained; without one, as published networks were"""
    known: Observations = PUBLIC_RECORD
    """what predictions rest on: the public record, with the store's evidence"""


class RunsCases(Protocol):
    """What the fixture `pipeline` must be: a Pipeline, or a double of it."""

    def resolve(self, case: AnyCase) -> AnyCase:
        """The case at the size of the checkpoint, if there is one."""

    def run(self, case: AnyCase, until: Stage = Stage.COMPILE, *, whole: bool = False) -> Mapping[Stage, Outcome]:
        """The outcomes of the case at every stage up to `until`; with `whole`, their files looked at."""


SETUP = pytest.StashKey[Setup]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, where plugins aren't loaded as entry points: the short names are unknown then."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    collect_garbage_rarely()
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    setup = config.stash[SETUP] = _setup(config)
    if setup.compiler:
        # Workers are started with these options: they needn't search again.
        config.option.tasnet_dfc_python = str(setup.compiler.python)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Which compiler was found, what it is calibrated with, what was assumed of the weights, and an unusual root."""
    setup = config.stash[SETUP]
    others = [other_package(setup.root)]
    if setup.root != config.rootpath.resolve():
        others.append(f"ledger, store and limits are those of {setup.root}, and pytest's rootdir is {config.rootpath}")
    notes = [
        f"note: {line}"
        for line in (*names_of_others(config), *setup.assumed, *_other_names(config), *filter(None, others))
    ]
    notes += [f"predictions rest on the store's evidence: {setup.known.line}"] if setup.known.line else []
    if setup.compiler is None:
        return notes
    double = ", a test double: nothing it says is observed" if setup.compiler.double else ""
    return [
        f"compiler: {setup.compiler.name} {setup.compiler.version} at {setup.compiler.python}{double}",
        f"calibration: {setup.choice.calibration}",
        *([f"warning: {setup.compiler.warning}"] if setup.compiler.warning else []),
        *notes,
    ]


def names_of_others(config: pytest.Config) -> list[str]:
    """A line for each short name of an option that was given, and is another plugin's here."""
    return [
        f"{name} is another plugin's here; tasnet's is {PREFIX}{name.removeprefix('--')}"
        for name in config.stash.get(TAKEN, ())
    ]


def _other_names(config: pytest.Config) -> Iterator[str]:
    """Of the named cases those whose numbers are measured under another case's id."""
    setup, marked = config.stash[SETUP], config.option.markexpr
    if "numerics" in marked or not marked:
        for case in setup.cases if setup.named else ():
            graph = graph_key(case)
            if graph != case.id:
                yield f"{case.id}: its numbers are its graph's, which is measured once, as {graph}"


def _of_checkpoint(store: Path, recipe: Recipe) -> tuple[tuple[str, ...], TrainedForm]:
    """What was assumed of the checkpoint, and how it was trained. Raises TasnetError for one that can't be read."""
    if recipe.checkpoint is None:
        return (), PUBLISHED
    # Only now: without a checkpoint there is nothing to ask.
    from tasnet.hailo.predict import Reference
    from tasnet.suite.run import Pipeline, open_store

    pipeline = Pipeline(open_store(store), Reference(), recipe)
    return pipeline.assumed, pipeline.trained


def _setup(config: pytest.Config) -> Setup:
    """Reads the options. Raises UsageError, one line."""
    given = option_values(config)
    profile, book, named = given["profile"], given["ledger"], tuple(given["case"])
    try:
        as_given = RunOptions.of(given)
        root = _root(config, as_given)
        options = replace(as_given, root=root)
        choice, recipe = options.toolchain_options(), options.recipe()
        store = options.store_root()
        known = known_observations(Store(store), options.arch)
        found = cases_of(
            profile,
            options.arch,
            store,
            toolchain=choice.name,
            checkpoint=recipe.checkpoint,
            named=named,
            known=known,
        )
        ledger = read_ledger(Path(book) if book else ledger_of(root))
        # Only now: without a compiler nothing of its adapter is needed.
        dfc = open_compiler(choice) if choice.name == "dfc" else None
        if not hasattr(config, "workerinput"):
            _check_first(config, root, store)
        assumed, trained = _of_checkpoint(store, recipe)
    except TasnetError as error:
        raise usage_error(error) from None
    repeat = _options_to_repeat(profile, named, as_given, book)
    return Setup(
        profile,
        options.arch,
        choice,
        dfc,
        repeat,
        recipe,
        root,
        store,
        ledger,
        found.cases,
        found.plans,
        found.of,
        named,
        assumed,
        trained,
        known,
    )


def _root(config: pytest.Config, options: RunOptions) -> Path:
    """The root that is named, or that a command started here would find; else the one of pytest's own rootdir."""
    if options.root is not None:
        return root_folder(options.root)
    return nearest_root(config.invocation_params.dir) or nearest_root(config.rootpath) or config.rootpath


def _check_first(config: pytest.Config, root: Path, store: Path) -> None:
    """What a test would find out late, and each test for itself. Raises TasnetError."""
    if not config.option.collectonly:
        check_writable(store)
    marked = config.option.markexpr
    if (root / "tests" / "numerics").is_dir() and ("numerics" in marked or not marked):
        # Only now: of the other tests none has limits.
        from tasnet.suite.numerics import THRESHOLDS_FILE, read_thresholds

        read_thresholds(from_here(root / THRESHOLDS_FILE))


def _options_to_repeat(
    profile: str, named: Sequence[str], options: RunOptions, ledger: str | None
) -> tuple[tuple[str, str], ...]:
    """The options that a command needs to repeat this run, without those that have their usual value."""
    of_profile = [("profile", profile)] if profile != DEFAULT_PROFILE else []
    of_cases = [("case", each) for each in named]
    of_ledger = [("ledger", ledger)] if ledger else []
    given = (*of_profile, *of_cases, *options.given(), *of_ledger)
    return tuple((name, f" '{value}'" if value else "") for name, value in given)


def repeat_command(config: pytest.Config, nodeid: str, *, kept: bool = False) -> str:
    """The command that runs this test alone, from where pytest was started; `kept` with the run, from its root.

    A node id: `-k` can't tell k1 from k12, nor read a `=`.
    """
    setup = config.stash[SETUP]
    file, mark, test = nodeid.partition("::")
    start = setup.root if kept else config.invocation_params.dir
    nodeid = f"{os.path.relpath(config.rootpath / file, start)}{mark}{test}"
    return f'pytest "{nodeid}"' + "".join(f" {PREFIX}{name}{value}" for name, value in setup.repeat)


# --- what else the options mean -----------------------------------------------------------------------------


def run_head(config: pytest.Config, chosen: int = 0, origin: RunOrigin | None = None) -> RunHead:
    """The head of the run that these options ask for."""
    setup = config.stash[SETUP]
    ledger = setup.ledger.path
    return RunHead(
        started=datetime.now(timezone.utc),
        profile=setup.profile,
        arch=setup.arch,
        toolchain=setup.choice.name,
        version=setup.compiler.version if setup.compiler else __version__,
        double=bool(setup.compiler and setup.compiler.double),
        repeat=tuple(f"--{name}{value}" for name, value in setup.repeat),
        cases=setup.of,
        chosen=chosen,
        checkpoint=setup.recipe.weights if setup.recipe.checkpoint else "",
        ledger=str(ledger) if option_values(config)["ledger"] else LEDGER_FILE,
        ledger_sha256=file_sha256(ledger),
        origin=origin or RunOrigin(),
        rows=None if setup.compiler or setup.known.public else (setup.known.bracket.passes, setup.known.bracket.fails),
        rests_on="" if setup.compiler else setup.known.digest,
    )


def uncaptured_printer(config: pytest.Config) -> Callable[[str], None]:
    """A function that prints a line on stderr past pytest's capture; a worker's stderr is its controller's."""

    def print_uncaptured(text: str) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            notify_on_stderr(text)

    return print_uncaptured
