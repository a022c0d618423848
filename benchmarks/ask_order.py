"""Asking in the right order: compiles until every verdict of the matrix is right, under compilers with hidden rules.

200 compilers are drawn: a limit of the row anywhere in the bracket, a limit of the layers at work or none, columns that
work or don't, and compiles that end at a time limit, which say nothing and are asked again. Each is asked until nothing
is open, in three orders; then five random cells that were inferred are compiled as a check, and counted too.

At the matrix's own length every row is past the bracket, so that all of it fails whatever the limit is. At 4000 samples
its rows lie on both sides of the limit, and the count of layers decides where they don't. The probes have columns.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from tasnet.hailo.files import har
from tasnet.hailo.predict import PUBLIC_BRACKET, ROW_FAIL, ROW_PASS, Demands, demands_of, predict_network
from tasnet.suite.ask import Knowledge, Question, Reply, known_from, moved_bracket, rank, rule_verdict, yes_chances
from tasnet.suite.cases import Stage, graph_key, profile_cases
from tasnet.suite.run import Pipeline, Recipe, ToolchainOptions, open_pipeline

DRAWN = 200
CHECKED = 5
GOAL = 0.10


@dataclass(frozen=True)
class Hidden:
    """A compiler's rules, which nobody but the judge of this benchmark reads."""

    row_limit: int
    layer_limit: int
    columns: bool
    time_outs: float
    """how often a compile ends at a time limit"""

    def compiles(self, graph: Demands) -> bool:
        """The truth of a graph."""
        if graph.widest_row > self.row_limit or graph.layers_at_work > self.layer_limit:
            return False
        return self.columns or all(each.kind.layout != "column" for each in graph.layers)


def drawn(seed: int) -> Hidden:
    """A compiler: the row's limit uniform in the bracket, the layers' on a scale of doublings, or none."""
    dice = random.Random(seed)
    layers = 1 << 30 if dice.random() < 0.3 else round(2 ** dice.uniform(1, 10))
    return Hidden(
        row_limit=dice.randrange(ROW_PASS, ROW_FAIL),
        layer_limit=layers,
        columns=dice.random() < 0.5,
        time_outs=dice.choice((0.0, 0.05, 0.2)),
    )


@dataclass(frozen=True)
class Asking:
    """The end of one compiler: compiles, those that timed out among them; cells that are wrong at the end.

    `caught` are inferences that the check found wrong, which opens what rested on them.
    """

    compiles: int
    time_outs: int
    wrong: int
    caught: int


Next = Callable[[Knowledge, np.ndarray, random.Random], int]


def ask(graphs: Sequence[Question], hidden: Hidden, choose: Next, seed: int, start: Knowledge) -> Asking:
    """Asks until nothing is open, and five inferred cells agree; a check that doesn't opens what it refutes."""
    dice, known, demands = random.Random(seed), start, [each.demands for each in graphs]
    spent = lost = checked = caught = 0
    while True:
        if known.open.any():
            place = choose(known, known.open, dice)
        elif checked < CHECKED and (rest := [*{*range(len(graphs))} - {*known.answered}]):
            place, checked = dice.choice(rest), checked + 1
        else:
            break
        spent += 1
        if dice.random() < hidden.time_outs:
            lost += 1
            checked -= not known.open.any()
            continue
        truth, said = hidden.compiles(demands[place]), known.inferred[place]
        caught += said is not None and said.compiled != truth
        known = known.and_([Reply(demands[place], truth, f"g{place}")])
    told = {each.demands: each.compiled for each in known.replies}
    wrong = sum(
        (told[each] if each in told else bool(said and said.compiled)) != hidden.compiles(each)
        for each, said in zip(demands, known.inferred, strict=True)
    )
    return Asking(spent, lost, wrong, caught)


def by_worth(graphs: Sequence[Question]) -> Next:
    """The order of `tasnet suggest`, every compile counted alike."""
    question_of = {each.demands: each for each in graphs}
    ones = [1.0] * len(graphs)

    def choose(known: Knowledge, open_: np.ndarray, dice: random.Random) -> int:
        replies = [(each, question_of[each.demands].predicted) for each in known.uncontested]
        likely = yes_chances(graphs, replies, moved_bracket(known, PUBLIC_BRACKET))
        return rank(known.order.no_harder(known.refuted_kinds), open_, likely, ones, ones)[0].index

    return choose


def at_random(known: Knowledge, open_: np.ndarray, dice: random.Random) -> int:
    """Any open graph."""
    return dice.choice([int(each) for each in np.flatnonzero(open_)])


def in_order(known: Knowledge, open_: np.ndarray, dice: random.Random) -> int:
    """The first open graph, as the matrix has them."""
    return int(np.flatnonzero(open_)[0])


ORDERS: tuple[tuple[str, Callable[[Sequence[Question]], Next]], ...] = (
    ("by worth", by_worth),
    ("at random", lambda _: at_random),
    ("as listed", lambda _: in_order),
)


def questions(profile: str, length: int | None, pipeline: Pipeline) -> list[Question]:
    """The distinct graphs of a profile, at another length where one is given."""
    found: dict[str, Question] = {}
    with pipeline.store.workspace() as desk:
        for case in profile_cases(profile):
            meant = replace(case, length=length) if length else case
            if graph_key(meant) in found:
                continue
            translated = pipeline.run(meant, Stage.TRANSLATE)[Stage.TRANSLATE]
            network = har.read(pipeline.store.get_har_graph(translated.artifact, desk / "graph.har"), weights=False)
            seen = rule_verdict(predict_network(network, meant.arch))
            found[graph_key(meant)] = Question(meant.id, demands_of(network), seen)
    return list(found.values())


def main() -> int:
    """Prints what each order took; 1 where the goal isn't reached or an inference stayed wrong."""
    print(describe())
    bad = False
    with tempfile.TemporaryDirectory() as root:
        pipeline = open_pipeline(Path(root), ToolchainOptions(), Recipe())
        for profile, length in (("matrix", None), ("matrix", 4000), ("probes", None)):
            graphs = questions(profile, length, pipeline)
            start = known_from([each.demands for each in graphs], ())
            print(f"{profile}, {length or 16000} samples: {len(graphs)} distinct graphs, {DRAWN} drawn compilers")
            for name, order in ORDERS:
                begun, choose = time.process_time(), order(graphs)
                ends = [ask(graphs, drawn(seed), choose, seed, start) for seed in range(DRAWN)]
                counts = sorted(each.compiles for each in ends)
                share = statistics.median(counts) / len(graphs)
                wrong = sum(each.wrong for each in ends)
                print(
                    f"  {name:<9} median {statistics.median(counts):g} ({share:.1%}), 9 of 10 within "
                    f"{counts[len(counts) * 9 // 10]}, at most {counts[-1]}; "
                    f"time-outs {statistics.mean(each.time_outs for each in ends):.1f}; "
                    f"wrong at the end {wrong}, caught by the check {sum(each.caught for each in ends)}; "
                    f"{time.process_time() - begun:.0f} s of CPU"
                )
                bad |= bool(wrong) or (name == "by worth" and profile == "matrix" and share > GOAL)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
