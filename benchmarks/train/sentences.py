"""What the voices read: English words from a list, or words made of syllables where a voice has no English.

The sentences mean nothing; speech is what counts. Equal seeds give equal sentences.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from benchmarks.train.voices import WORDS, Script

_CONSONANTS = {"syllables": "bdfklmnprstv", "cyrillic": "бдзклмнпрств", "devanagari": "कगतदनपबमरलसह"}
_VOWELS = {"syllables": "aeiou", "cyrillic": "аеиоу", "devanagari": "ािीुेो"}


def sentence(script: Script, speaker: int, number: int) -> str:
    """Sentence `number` of speaker `speaker`: five to nine words."""
    draw = np.random.Generator(np.random.PCG64([speaker, number]))
    count = int(draw.integers(5, 10))
    if script == "words":
        known = _english()
        return " ".join(known[int(at)] for at in draw.integers(0, len(known), count)) + "."
    syllables = ["".join(pair) for pair in product(_CONSONANTS[script], _VOWELS[script])]
    words = []
    for _ in range(count):
        words.append("".join(syllables[int(at)] for at in draw.integers(0, len(syllables), int(draw.integers(2, 4)))))
    return " ".join(words) + "."


@cache
def _english() -> tuple[str, ...]:
    """Plain words of three to nine letters."""
    words = WORDS.read_text(encoding="utf-8").split()
    return tuple(word for word in words if word.isascii() and word.isalpha() and word.islower() and 3 <= len(word) <= 9)
