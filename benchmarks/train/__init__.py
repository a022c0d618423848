"""Trains the small network that tasnet ships, on mixtures of two synthetic voices that Debian's packages speak.

    voices.py      who speaks, with which program and of which package
    sentences.py   what is read
    corpus.py      the recordings, spoken once and kept
    pairs.py       two voices at once: drawn for training, fixed for validation and for the figures
    separator.py   the package's own Conv-TasNet as a function of its weights, and SI-SDR over both pairings
    fit.py         the training: steps, state, log, what it does when it diverges
    score.py       SI-SDRi of a network on a set of mixtures
    curve.py       the log as a picture
    ship.py        a finished training put into the package, with its card

`python -m benchmarks.train FOLDER` runs all of it, and goes on where it was.
"""
