"""What the voices read: English words from a list, or words made of syllables where a voice has no English.

The sentences mean nothing; speech is what counts. Equal seeds give equal sentences.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.train.voices import Script, VoicesMissing

WORDS = Path("/usr/share/dict/american-english")
"""Debian's `wamerican`"""

_CONSONANTS = {"syllables": "bdfklmnprstv", "cyrillic": "бдзклмнпрств", "devanagari": "कगतदनपबमरलसह"}
_VOWELS = {"syllables": "aeiou", "cyrillic": "аеиоу", "devanagari": "ािीुेो"}


def sentence(script: Script, speaker: int, number: int) -> str:
    """Sentence `number` of speaker `speaker`: five to nine words. Raises VoicesMissing without the word list."""
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
    try:
        words = WORDS.read_text(encoding="utf-8").split()
    except OSError:
        raise VoicesMissing("no word list: run apt-get install wamerican") from None
    return tuple(word for word in words if word.isascii() and word.isalpha() and word.islower() and 3 <= len(word) <= 9)
