"""Where a log says that a stage began or ended well: the compiler's own marks, and those of the notes' scripts.

One log may hold several models, and several tries of one: the last phase that began and did not end well is what
failed. The compiler says these as documented; they stand in `[info]` lines, which tell of nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Turn(Enum):
    """What a mark says of the phase at work."""

    BEGAN = "began"
    """whatever was said before is another phase's"""
    ENDED_WELL = "ended well"
    WENT_ON = "went on"
    """what looked like a failure in it was overcome"""
    CUT = "cut"
    """it was ended from outside, by a person, a limit or the system, whatever its search had said by then"""


@dataclass(frozen=True)
class Mark:
    """A turn of a log. `stage` is empty where the mark doesn't say which."""

    turn: Turn
    stage: str


_ALONE = r"(?<![A-Za-z'\"(]\s)(?<![\w'\"(])"
_REST = r"(?=\s{3}|\W*$)"
"""a shell's word, with the command that it names"""

_MARKS: tuple[tuple[str, re.Pattern[str], Turn, str], ...] = tuple(
    (hint, re.compile(pattern), turn, stage)
    for hint, pattern, turn, stage in (
        ("Translation started", r"\bTranslation started on \w+ model\b", Turn.BEGAN, "translate"),
        ("Starting ", r"\bStarting Translation\b", Turn.BEGAN, "translate"),
        ("Starting ", r"\bStarting (?:Model )?Optimization\b", Turn.BEGAN, "optimize"),
        ("Starting ", r"\bStarting (?:Compilation|Hailo allocation and compilation flow)\b", Turn.BEGAN, "compile"),
        ("Translation completed", r"\bTranslation completed on \w+ model\b", Turn.ENDED_WELL, "translate"),
        ("Optimization is done", r"\bModel Optimization is done\b", Turn.ENDED_WELL, "optimize"),
        (" Success", r"\bStep 3 Success\b", Turn.ENDED_WELL, ""),
        (" Success", r"\bStep 4 Success\b", Turn.ENDED_WELL, "compile"),
        ("Successful ", r"\bSuccessful Compilation\b", Turn.ENDED_WELL, "compile"),
        ("HEF file written", r"\bHEF file written to\b", Turn.ENDED_WELL, "compile"),
        ("Saved HAR to", r"\bSaved HAR to\b", Turn.ENDED_WELL, ""),
        ("Successful ", r"\bSuccessful Mapping\b", Turn.WENT_ON, "compile"),
        ("Multi-context flow", r"\bUsing Multi-context flow\b", Turn.WENT_ON, "compile"),
        # As the shell, Python, timeout, Slurm, GitHub and GitLab say it.
        ("Killed", rf"{_ALONE}Killed{_REST}", Turn.CUT, ""),
        ("Terminated", rf"{_ALONE}Terminated{_REST}", Turn.CUT, ""),
        ("KeyboardInterrupt", r"\bKeyboardInterrupt\b\W*$", Turn.CUT, ""),
        ("TimeoutExpired", r"\bsubprocess\.TimeoutExpired\b", Turn.CUT, ""),
        ("ending signal", r"\bsending signal \w{3,8} to command\b", Turn.CUT, ""),
        ("CANCELLED", r"\b(?:JOB|STEP) [\d.]{1,20} .{0,80}\bCANCELLED AT\b", Turn.CUT, ""),
        ("operation was cancel", r"\bThe operation was cancell?ed\b", Turn.CUT, ""),
        ("execution t", r"\bexceeded the maximum execution time\b|\bexecution took longer than\b", Turn.CUT, ""),
        ("shutdown signal", r"\breceived a shutdown signal\b", Turn.CUT, ""),
        ("exit code 1", r"\bexit code (?:130|143)\b", Turn.CUT, ""),
    )
)
HINTS = tuple(dict.fromkeys(hint for hint, *_ in _MARKS))


def mark_of(line: str) -> Mark | None:
    """The mark in a line, if it is one."""
    for hint, pattern, turn, stage in _MARKS:
        if hint in line and pattern.search(line):
            return Mark(turn, stage)
    return None
