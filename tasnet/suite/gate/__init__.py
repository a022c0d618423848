"""The gate: did a change of the model make anything worse than it was at another revision?

    checkout.py     git: the two revisions, and a folder of the base's files that is gone afterwards
    driver.py       exports the graphs of the code beside it, in a process of its own
    sides.py        runs the driver for both sides, within a limit
    answers.py      what a side may answer, checked
    lent.py         the base's own store, and what of it comes into the shared one
    difference.py   two graphs layer by layer: added, removed, changed; how large each is
    settings.py     [tool.tasnet.gate] of pyproject.toml
    judging.py      what this side's toolchain and ledger say of both, on many processes
    regression.py   what counts as worse: a verdict, a blocker, a size
    parity.py       the changed graphs at every stage, against thresholds.yaml and against the base
    result.py       all of it in one frozen piece
    run.py          the gate from beginning to end
    markdown.py     the summary that a pull request shows

The base's code runs with the rights of whoever calls the gate: what is guarded against is code of another day or broken
code, not an attacker's. Both sides' graphs are translated and judged by this side's toolchain: what is judged is the
change of the model, not that of the toolchain or the ledger.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
