"""What is asserted. From the bottom up: each folder may import those above it in this list, and none below.

cases      which cases there are, their ids, how one ended and what that says
ledger     expected failures: read, and applied to a case
history    the runs of the store: written, read, compared
run        a case through the stages: pipeline, the store's artifacts, toolchains, calibration, a plan's compile
numerics   the stages' audio and figures, speech, thresholds, listening
upkeep     the ledger kept true: check, explain, update
observed   what a compiler or a chip said: evidence, predictions held against it, device checks, compiles on a cluster
ask        which compiles are worth their time, what follows of an answer; the smallest graph that shows a blocker
gate       a change of the model against another revision
notes      the conversion notes' night runs, read and written
report     the terminal's map, the page, SUPPORT.md
plugin     all of it in pytest
starter    a suite of one's own: the files that `tasnet init` writes

`early_options.py` gives pytest the suite's options before it reads conftest.py.
"""
