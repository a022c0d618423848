"""Cases: one form of the network at a size, a length and an architecture; and how it ended at each stage.

In goes text (an id, a run tag of the notes, `axis=value` pairs, a profile's name): `parse_case`, `profile_cases`. Out
come Cases, whose `id` reads back to an equal case; `graph_key` is equal for cases that export the same graph. An
Outcome is the end of one stage, with its failures and who says so (Provenance); `verdict_of` makes the one Verdict of a
case from its outcomes.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
