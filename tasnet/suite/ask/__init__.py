"""Asking a compiler the right question: which graphs to compile next, and what their answers say of all others.

In go graphs, the rules' word on them and the answers so far; out come questions in order, with what a yes and a no
would settle, and what is inferred: a word of its own beside predicted and observed.

- `order`: which graphs are no harder than others, an assumption that answers may refute
- `knowledge`: answers, their contradictions, what follows of them
- `chances`, `ranking`: how likely a graph compiles, and which question settles most per hour
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
