"""What 8 bits cost `tasnet:small`, in dB of separation: prints the table; writes it and its plot where docs/ has them.

python -m benchmarks.eight_bits [--write]: two minutes on two cores. The figures are the same on any machine up to
the noise of float32.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.page import write_figures
from tasnet.network import SMALL, checkpoint_file
from tasnet.suite.numerics.eight_bits import GROUPS, EightBitCosts, eight_bit_costs
from tasnet.suite.numerics.parity_page import cost_bars
from tasnet.suite.run import Recipe

PAGE = Path(__file__).resolve().parents[1] / "docs" / "eight-bits.md"


def main(arguments: list[str]) -> int:
    """2 for wrong usage."""
    if arguments not in ([], ["--write"]):
        print("benchmarks.eight_bits: no arguments, or --write", file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    costs = eight_bit_costs(Recipe(checkpoint_file(SMALL)), say=lambda what: print(what, file=sys.stderr))
    table = "".join(f"{line}\n" for line in lines(costs))
    print(table, end="")
    if arguments:
        write_figures(PAGE, table)
        cost_bars(costs).savefig(PAGE.with_suffix(".png"), dpi=130)
    return 0


def lines(costs: EightBitCosts) -> Iterator[str]:
    """The table, in Markdown."""
    judged = f"{costs.judged} mixtures, {costs.calibrated} for calibration"
    yield f"`{costs.weights}`, {judged}, a plan of {costs.hefs} HEFs:"
    yield ""
    yield "| | | SI-SDRi, dB | lost, dB | error of the mean loss |"
    yield "|---|---|---|---|---|"
    for group in GROUPS:
        for number, each in enumerate(costs.of(group)):
            name = "" if number else group
            yield f"| {name} | {each.what} | {each.si_sdri:.2f} | {each.lost:.2f} | {each.error:.2f} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
