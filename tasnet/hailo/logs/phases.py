"""Lines that say that a stage began, ended well or was cut: the compiler's own marks, and those of scripts around it.

One log may hold several models, and several tries of each: the last phase that began and did not end well is the one
that failed. The compiler's marks, as documented, are `[info]` lines; nothing else is read from such lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Transition(Enum):
    """What a mark says about the current phase."""

    BEGAN = "began"
    """a new phase: what was logged before belongs to another one"""
    ENDED_WELL = "ended well"
    WENT_ON = "went on"
    """what looked like a failure was overcome"""
    CUT = "cut"
    """ended from outside, by a person, a limit or the system, whatever had been logged by then"""


@dataclass(frozen=True)
class PhaseMark:
    """What a line says about a phase. `stage` is empty if the line doesn't name one."""

    transition: Transition
    stage: str


_ALONE = r"(?<![A-Za-z'\"(]\s)(?<![\w'\"(])"
_REST = r"(?=\s{3}|\W*$)"
"""after a shell's word: the command that it names, or nothing"""

_MARKS: tuple[tuple[str, re.Pattern[str], Transition, str], ...] = tuple(
    (hint, re.compile(pattern), transition, stage)
    for hint, pattern, transition, stage in (
        ("Translation started", r"\bTranslation started on \w+ model\b", Transition.BEGAN, "translate"),
        ("Starting ", r"\bStarting Translation\b", Transition.BEGAN, "translate"),
        ("Starting ", r"\bStarting (?:Model )?Optimization\b", Transition.BEGAN, "optimize"),
        (
            "Starting ",
            r"\bStarting (?:Compilation|Hailo allocation and compilation flow)\b",
            Transition.BEGAN,
            "compile",
        ),
        ("Translation completed", r"\bTranslation completed on \w+ model\b", Transition.ENDED_WELL, "translate"),
        ("Optimization is done", r"\bModel Optimization is done\b", Transition.ENDED_WELL, "optimize"),
        (" Success", r"\bStep 3 Success\b", Transition.ENDED_WELL, ""),
        (" Success", r"\bStep 4 Success\b", Transition.ENDED_WELL, "compile"),
        ("Successful ", r"\bSuccessful Compilation\b", Transition.ENDED_WELL, "compile"),
        ("HEF file written", r"\bHEF file written to\b", Transition.ENDED_WELL, "compile"),
        ("Saved HAR to", r"\bSaved HAR to\b", Transition.ENDED_WELL, ""),
        ("Successful ", r"\bSuccessful Mapping\b", Transition.WENT_ON, "compile"),
        ("Multi-context flow", r"\bUsing Multi-context flow\b", Transition.WENT_ON, "compile"),
        # As the shell, Python, timeout, Slurm, GitHub and GitLab say it.
        ("Killed", rf"{_ALONE}Killed{_REST}", Transition.CUT, ""),
        ("Terminated", rf"{_ALONE}Terminated{_REST}", Transition.CUT, ""),
        ("KeyboardInterrupt", r"\bKeyboardInterrupt\b\W*$", Transition.CUT, ""),
        ("TimeoutExpired", r"\bsubprocess\.TimeoutExpired\b", Transition.CUT, ""),
        ("ending signal", r"\bsending signal \w{3,8} to command\b", Transition.CUT, ""),
        ("CANCELLED", r"\b(?:JOB|STEP) [\d.]{1,20} .{0,80}\bCANCELLED AT\b", Transition.CUT, ""),
        ("operation was cancel", r"\bThe operation was cancell?ed\b", Transition.CUT, ""),
        ("execution t", r"\bexceeded the maximum execution time\b|\bexecution took longer than\b", Transition.CUT, ""),
        ("shutdown signal", r"\breceived a shutdown signal\b", Transition.CUT, ""),
        ("exit code 1", r"\bexit code (?:130|143)\b", Transition.CUT, ""),
    )
)
HINTS = tuple(dict.fromkeys(hint for hint, *_ in _MARKS))


def phase_mark(line: str) -> PhaseMark | None:
    """The phase mark in a line, or None."""
    for hint, pattern, transition, stage in _MARKS:
        if hint in line and pattern.search(line):
            return PhaseMark(transition, stage)
    return None
