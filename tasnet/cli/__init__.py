"""The command line: `tasnet COMMAND`, each command a few lines over the other rooms.

In go arguments; out come lines or JSON on stdout, errors in one line on stderr, and an exit code: 0 all well; 1 a graph
that isn't clear, or a run that isn't as expected; 2 wrong usage, or an input that can't be read. Torch is imported by
what builds a network: `export`, `plan make`, the numbers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
