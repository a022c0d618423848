"""What is asserted. Each room stands on those above it in this list:

cases      which cases there are, their ids, how one ended and what that says
ledger     expected failures: read, and applied to a case
history    stored runs: written, read, compared
run        a case through the stages: pipeline, store, toolchains, calibration
numerics   parity, speech, thresholds, listening
upkeep     the ledger kept true: check, explain, update
observed   what a compiler or a chip said: evidence, pairs, the device, sweeps
gate       a change of the model against another revision
notes      the conversion notes' night runs, read and written
report     the terminal's map, the page, SUPPORT.md
plugin     all of it in pytest
"""
