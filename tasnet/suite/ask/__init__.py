"""Asking a compiler the right question: which graphs to compile next, and the smallest graph that shows a blocker.

Next: in go graphs, the rules' word on them and the answers so far; out come questions in order, with what a yes and a
no would settle, and what is inferred: a word of its own beside predicted and observed.

- `order`: which graphs are no harder than others, an assumption that answers may refute; `monotonicity`: its words
- `knowledge`: answers, their contradictions, what follows of them
- `chances`, `ranking`: how likely a graph compiles, and which question settles most per hour
- `graphs`, `single_layers`: what is asked about; `replies`: what compilers said of it, from the store's evidence
- `survey`, `survey_maker`: all questions with what is known of each
- `suggesting`, `questions_page`: what to compile next; `deciding`: compiled until nothing is open
- `learning`, `hypotheses`, `news`: what observations changed
- `known`: what of it verdicts rest on everywhere; `by_evidence`: what it says of a run's cases

A `Reply` is a compiler's yes or no on demands; a `TimedReply` has the rules' verdict and the seconds beside it, and
`StoredReplies` are all of a store's. An `Answer` is what one asking came to, stage by stage.

Isolated: in go a Toolchain, a Store and an ONNX graph with every size fixed (`hailo.translate.settled_model`); out come
the smallest graphs that show each blocker, and the changes of a Case that remove it.

- `answers`: a toolchain asked within a budget, every answer kept; what is no answer
- `delta`, `subgraph`, `sizes`, `isolation`: the fewest nodes and the smallest sizes that show a blocker
- `isolated_files`: what of that is sent to a vendor
- `changes`: the smallest changes of a case's axes that remove a blocker, and what they cost
- `vacuous`: choices of a case that change nothing
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
