"""The voices: each a speaker of one of Debian's speech programs, with the package that has it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasnet.common import TasnetError

FESTIVAL = Path("/usr/share/festival/voices")

WORDS = Path("/usr/share/dict/american-english")
"""the word list of Debian's `wamerican`"""

Program = Literal["flite", "espeak-ng", "text2wave"]
Script = Literal["words", "syllables", "cyrillic", "devanagari"]


class VoicesMissing(TasnetError):
    """A program, a voice or a word list isn't installed. One line: which package has it."""


@dataclass(frozen=True)
class Speaker:
    """One speaker. `voice` is the program's name of it, `script` what it can read.

    `role`: `train`, or `held_out` for a pair that no training hears.
    """

    name: str
    program: Program
    voice: str
    package: str
    script: Script = "words"
    role: Literal["train", "held_out"] = "train"


def _festival(name: str, voice: str, package: str, script: Script, role: str = "train") -> Speaker:
    return Speaker(
        name, "text2wave", voice, f"festvox-{package}", script, "held_out" if role == "held_out" else "train"
    )


SPEAKERS = (
    # Festival's slt and kal are the same persons as flite's: each speaks once.
    Speaker("slt", "flite", "slt", "flite"),
    Speaker("rms", "flite", "rms", "flite"),
    Speaker("kal", "flite", "kal16", "flite"),
    Speaker("awb", "flite", "awb", "flite", role="held_out"),
    Speaker("espeak-m1", "espeak-ng", "en-us+m1", "espeak-ng"),
    Speaker("espeak-m7", "espeak-ng", "en-gb+m7", "espeak-ng"),
    Speaker("espeak-f2", "espeak-ng", "en-us+f2", "espeak-ng"),
    Speaker("espeak-f4", "espeak-ng", "en-gb+f4", "espeak-ng"),
    _festival("ked", "ked_diphone", "kdlpc16k", "words"),
    _festival("italian-lp", "lp_diphone", "italp16k", "syllables"),
    _festival("italian-pc", "pc_diphone", "itapc16k", "syllables"),
    _festival("catalan-ona", "upc_ca_ona_hts", "ca-ona-hts", "syllables", "held_out"),
    _festival("czech-dita", "czech_dita", "czech-dita", "syllables"),
    _festival("czech-krb", "czech_krb", "czech-krb", "syllables"),
    _festival("czech-machac", "czech_machac", "czech-machac", "syllables"),
    _festival("czech-ph", "czech_ph", "czech-ph", "syllables"),
    _festival("finnish-lj", "suo_fi_lj_diphone", "suopuhe-lj", "syllables"),
    _festival("finnish-mv", "hy_fi_mv_diphone", "suopuhe-mv", "syllables"),
    _festival("hindi-nsk", "hindi_NSK_diphone", "hi-nsk", "devanagari"),
    _festival("russian-nsh", "msu_ru_nsh_clunits", "ru", "cyrillic"),
)


def packages() -> tuple[str, ...]:
    """The Debian packages that all of this takes, the word list and the real voices of the figures among them."""
    found = {speaker.package for speaker in SPEAKERS} | {"festival", "wamerican", "pocketsphinx-testdata"}
    return tuple(sorted(found))


def check(speakers: Collection[Speaker]) -> None:
    """Raises VoicesMissing, with the packages to install, unless all of them can speak and have something to read."""
    missing = {_package(speaker) for speaker in speakers} - {""}
    if not WORDS.is_file() and any(speaker.script == "words" for speaker in speakers):
        missing.add("wamerican")
    if missing:
        names = " ".join(sorted(missing))
        raise VoicesMissing(f"speech that is not installed: run apt-get install {names}")


def _package(speaker: Speaker) -> str:
    """The package to install for this speaker, or nothing."""
    if shutil.which(speaker.program) is None:
        return "festival" if speaker.program == "text2wave" else speaker.program
    if speaker.program == "text2wave" and not any(FESTIVAL.glob(f"*/{speaker.voice}")):
        return speaker.package
    return ""


def speak(speaker: Speaker, text: str, path: Path) -> None:
    """Writes `text` as this speaker reads it, 16-bit PCM at the voice's own rate. Raises VoicesMissing."""
    if speaker.program == "flite":
        command = ["flite", "-voice", speaker.voice, "-t", text, "-o", str(path)]
    elif speaker.program == "espeak-ng":
        command = ["espeak-ng", "-v", speaker.voice, "-w", str(path), text]
    else:
        command = ["text2wave", "-eval", f"(voice_{speaker.voice})", "-o", str(path)]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if done.returncode or not path.is_file() or path.stat().st_size < 1000:
        said = " ".join(done.stderr.split())[:200]
        raise VoicesMissing(
            f"{speaker.program} can't speak as {speaker.voice} ({said}): install {speaker.package} again"
        )
