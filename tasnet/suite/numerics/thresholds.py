"""thresholds.yaml: how far a stage may be from the float64 reference, with the measured value beside each limit.

A limit holds for a stage, a form (norm and activation) and all windows up to a length. It may only get tighter:
`propose` puts it a margin below the worst of its runs, leaves it where that would be looser, and says so. Comments
and the order of the file are kept.
"""

from __future__ import annotations

import difflib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from tasnet.common import TasnetError, counted, printable, yaml_file
from tasnet.network import Variant

THRESHOLDS_FILE = "thresholds.yaml"
ANY = "any"
"""in the place of a form or a length: all for which there is no limit of their own"""

FEW = 8
"""below so many cases the margin is doubled: the worst of a few isn't the worst of all"""

_HEAD = {"schema", "margin_db", "thresholds"}
_KEYS = {"stage", "form", "T", "snr_db", "of_peak", "measured", "reason"}


class ThresholdError(TasnetError, ValueError):
    """A thresholds file or a proposal that can't be used. One line: where, what is wrong, what to do."""


@dataclass(frozen=True)
class StageFigure:
    """One case at one stage: SNR in dB against the reference, and the largest error over the reference's peak.

    `weights` says which the case had: two seeds are two cases.
    """

    stage: str
    form: str
    length: int
    snr_db: float
    of_peak: float
    case: str
    weights: str = "seed 0"

    @property
    def named(self) -> str:
        """The case by its id, and its weights unless they are the first seed's."""
        return self.case if self.weights == "seed 0" else f"{self.case}, {self.weights}"


@dataclass(frozen=True)
class Threshold:
    """The least SNR in dB and the largest error over peak of a stage and a form, for windows of up to `length`.

    `length` None is any, and so is the form ANY. `cases` is how many distinct ones were measured, 0 for a limit that
    was set by hand.
    """

    stage: str
    form: str
    length: int | None
    snr_db: float
    of_peak: float
    cases: int = 0


@dataclass(frozen=True)
class Breach:
    """A measurement beyond its limit, or without one (`limit` None)."""

    figure: StageFigure
    limit: Threshold | None

    def __str__(self) -> str:
        it = self.figure
        found = f"{it.named}: {it.stage}: SNR {it.snr_db:.1f} dB, error over peak {it.of_peak:.1e}"
        if self.limit is None:
            return f"{found}; no limit for {it.form} at T={it.length}: tasnet thresholds propose --write"
        return f"{found}; at least {self.limit.snr_db:g} dB and at most {self.limit.of_peak:.1e} for {it.form}"


@dataclass(frozen=True)
class Thresholds:
    """A file that was read: its text, its limits in their order, and the margin of a stage in dB."""

    path: Path
    text: str
    limits: tuple[Threshold, ...]
    margins: Mapping[str, float]

    def of(self, stage: str, form: str, length: int) -> Threshold | None:
        """The limit for a case: of its own form and weights, else of its form, else of any; of the shortest length."""
        forms = [form, form.partition(",")[0], ANY]
        able = [
            each
            for each in self.limits
            if each.stage == stage and each.form in forms and (each.length is None or length <= each.length)
        ]
        return min(able, key=lambda each: (forms.index(each.form), each.length or math.inf), default=None)

    def check(self, figures: Iterable[StageFigure]) -> tuple[Breach, ...]:
        """What is beyond its limit. A figure that is NaN always is."""
        found = ((each, self.of(each.stage, each.form, each.length)) for each in figures)
        return tuple(Breach(each, limit) for each, limit in found if limit is None or not _within(each, limit))


@dataclass(frozen=True)
class Proposal:
    """The new text and its difference; `refused` are limits that would get looser, `left` those without enough runs."""

    text: str
    diff: str
    refused: tuple[str, ...]
    left: tuple[str, ...]


def threshold_form(variant: Variant, weights: str) -> str:
    """What a limit depends on beside stage and length: norm and activation, and the package's network if it is one.

    A bypassed mask has neither norm nor activation, and a LeakyRelu has a PReLU's arithmetic. `weights` as
    `weights_label` has them.
    """
    activation = "prelu" if variant.activation == "leaky_relu" else variant.activation
    form = "bypass" if variant.mask == "bypass" else f"{variant.norm} {activation}"
    return f"{form}, {weights.split(maxsplit=1)[0]}" if weights.startswith("tasnet:") else form


def read_thresholds(path: Path) -> Thresholds:
    """The file at `path`. Raises ThresholdError."""
    return parse_thresholds(
        yaml_file.text(path, f"a suite's {THRESHOLDS_FILE} (tasnet init writes one)", ThresholdError), path
    )


@lru_cache(maxsize=8)
def parse_thresholds(text: str, path: Path = Path(THRESHOLDS_FILE)) -> Thresholds:
    """Thresholds from a file's text. Raises ThresholdError.

    The last texts are remembered: a run reads its limits before its tests and at its end.
    """
    data = _loaded(text, path)
    if unknown := sorted(set(map(_value_text, data)) - _HEAD):
        raise ThresholdError(f"{path}: {unknown[0]} is unknown; {', '.join(sorted(_HEAD))} are known")
    if data.get("schema") != 1:
        raise ThresholdError(f"{path}: schema {_value_text(data.get('schema'))}; this version reads schema 1")
    margins, entries = data.get("margin_db"), data.get("thresholds")
    if not isinstance(margins, Mapping) or not isinstance(entries, Sequence):
        raise ThresholdError(f"{path}: margin_db is a mapping of stages, thresholds a list; mend the file")
    limits = tuple(_threshold(each, index, path) for index, each in enumerate(entries, 1))
    seen: set[tuple[str, str, int | None]] = set()
    for each in limits:
        if (key := (each.stage, each.form, each.length)) in seen:
            raise ThresholdError(f"{path}: {_name(each)} stands there twice; take one out")
        seen.add(key)
    read_margins = {
        _value_text(stage): _number(value, f"{path}: margin_db {_value_text(stage)}")
        for stage, value in margins.items()
    }
    return Thresholds(path, text, limits, read_margins)


def propose_thresholds(
    thresholds: Thresholds, runs: Iterable[StageFigure], *, today: date, how: str, allow_looser: str = ""
) -> Proposal:
    """Limits a margin below the worst of `runs`, where that is tighter; looser ones only with a reason.

    A limit that holds is left where `runs` have fewer distinct cases than those that it was measured on. Measured
    values are kept unless they differ by 0.1 dB or in their second digit: proposing twice changes nothing. Raises
    ThresholdError for runs that have no figures.
    """
    data = _loaded(thresholds.text, thresholds.path)
    refused, left = [], []
    for (stage, form, length), those in sorted(_grouped(runs).items()):
        known = thresholds.of(stage, form, length)
        own = known if known and (known.form, known.length) == (form, length) else None
        wanted = _wanted(those, thresholds.margins.get(stage, 0.0))
        cases = len({each.named for each in those})
        if own and cases < own.cases and not thresholds.check(those):
            left.append(f"{_name(own)}: {counted(cases, 'case')} now, {own.cases} when it was measured; run as many")
            continue
        looser = known is not None and (wanted.snr_db < known.snr_db or wanted.of_peak > known.of_peak)
        if known and looser and not allow_looser:
            if broken := thresholds.check(those):
                # what breaks a limit doesn't stand beside it as its measure
                refused.append(f"{_name(known)}: {broken[0]}; mend it, or give a reason with --allow-looser")
                continue
            least, most = max(wanted.snr_db, known.snr_db), min(wanted.of_peak, known.of_peak)
            wanted = Threshold(stage, form, length, least, most)
        _write_limit(data, own, wanted, those, today, how, allow_looser if looser else "")
    text = _dumped(data)
    name = thresholds.path.name
    lines = difflib.unified_diff(
        thresholds.text.splitlines(keepends=True), text.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return Proposal(text, "".join(lines), tuple(refused), tuple(left))


def _within(figure: StageFigure, limit: Threshold) -> bool:
    # a limit of two digits is a hair below some figures that have the same two
    return figure.snr_db >= limit.snr_db and figure.of_peak <= limit.of_peak * (1 + 1e-9)


def _wanted(those: Sequence[StageFigure], margin: float) -> Threshold:
    """The limit that the worst of the runs keeps by the margin: whole dB, two digits of the error over peak."""
    first = those[0]
    worst, largest = min(each.snr_db for each in those), max(each.of_peak for each in those)
    margin *= 2 if len({each.named for each in those}) < FEW else 1
    return Threshold(
        first.stage,
        first.form,
        first.length,
        # nobody needs more than float64 can tell; an exact stage is at infinity
        float(math.floor(min(worst, 300.0) - margin)),
        _rounded_up(largest * 10 ** (margin / 20)),
    )


def _grouped(runs: Iterable[StageFigure]) -> dict[tuple[str, str, int], list[StageFigure]]:
    grouped: dict[tuple[str, str, int], list[StageFigure]] = {}
    for each in runs:
        if math.isnan(each.snr_db) or not math.isfinite(each.of_peak) or each.snr_db == -math.inf:
            raise ThresholdError(f"{each.named}: {each.stage}: no figures to propose a limit from; look at that case")
        grouped.setdefault((each.stage, each.form, each.length), []).append(each)
    return grouped


def _write_limit(
    data: CommentedMap,
    own: Threshold | None,
    wanted: Threshold,
    those: Sequence[StageFigure],
    today: date,
    how: str,
    reason: str,
) -> None:
    """Writes a limit and its measure into the entry of its key, or into a new one at the end."""
    entry = next((e for e in data["thresholds"] if own and _same_key(e, own)), None)
    if entry is None:
        entry = CommentedMap(stage=wanted.stage, form=wanted.form, T=wanted.length)
        data["thresholds"].append(entry)
    if entry.get("snr_db") is None or float(entry["snr_db"]) != wanted.snr_db:
        entry["snr_db"] = wanted.snr_db
    if entry.get("of_peak") is None or float(entry["of_peak"]) != wanted.of_peak:
        entry["of_peak"] = wanted.of_peak
    if reason:
        entry["reason"] = reason
    worst = min(each.snr_db for each in those)
    figures = {
        "snr_db": round(min(worst, 300.0), 1),
        "of_peak": _rounded_up(max(each.of_peak for each in those)),
        "cases": len({each.named for each in those}),
    }
    before = entry.get("measured")
    if not isinstance(before, Mapping) or any(before.get(key) != value for key, value in figures.items()):
        # a date of its own: one object in many places would be written as references to the first
        block = CommentedMap({**figures, "worst": _worst(those), "date": today.replace(), "how": how})
        block.fa.set_flow_style()
        entry["measured"] = block


def _worst(those: Sequence[StageFigure]) -> str:
    return min(those, key=lambda each: (each.snr_db, each.named)).named


def _rounded_up(value: float) -> float:
    """Two digits, rounded up."""
    if value <= 0:
        return 0.0
    scale = 10.0 ** (math.floor(math.log10(value)) - 1)
    # a hair of tolerance, or what has two digits already would go up
    return float(f"{math.ceil(value / scale - 1e-9) * scale:.1e}")


def _same_key(entry: Mapping[str, Any], own: Threshold) -> bool:
    return (entry["stage"], entry["form"], _length(entry["T"])) == (own.stage, own.form, own.length)


def _length(value: object) -> int | None:
    return None if value == ANY else int(str(value))


def _name(limit: Threshold) -> str:
    return f"{limit.stage}, {limit.form}, T={limit.length or ANY}"


def _threshold(entry: object, index: int, path: Path) -> Threshold:
    where = f"{path}: threshold {index}"
    if not isinstance(entry, Mapping):
        raise ThresholdError(f"{where}: a mapping with stage, form, T, snr_db, of_peak is needed")
    if wrong := sorted((_KEYS ^ set(map(_value_text, entry))) - ({"reason"} if "reason" not in entry else set())):
        raise ThresholdError(f"{where}: {wrong[0]} is missing or unknown; it has {', '.join(sorted(_KEYS))}")
    for key, example in (("stage", "har"), ("form", "gln prelu")):
        if not isinstance(entry[key], str):
            raise ThresholdError(f"{where}: {key} is {_value_text(entry[key])}; text is needed, as '{example}'")
    length = entry["T"]
    if length != ANY and (not isinstance(length, int) or isinstance(length, bool) or not 1 <= length < 10**18):
        raise ThresholdError(f"{where}: T is {_value_text(length)}; a count of samples, or {ANY}")
    measured = entry["measured"]
    if measured is not None and not isinstance(measured, Mapping):
        raise ThresholdError(f"{where}: measured is a mapping, or null for a limit set by hand")
    cases = measured.get("cases", 0) if measured else 0
    if not isinstance(cases, int) or isinstance(cases, bool) or not 0 <= cases < 10**18:
        raise ThresholdError(f"{where}: measured cases are {_value_text(cases)}; a count is needed")
    return Threshold(
        printable(str(entry["stage"])),
        printable(str(entry["form"])),
        _length(length),
        _number(entry["snr_db"], f"{where}: snr_db"),
        _number(entry["of_peak"], f"{where}: of_peak"),
        int(cases),
    )


def _value_text(value: object) -> str:
    """A value for a message. Whoever wrote a list or a map there sees which by its place."""
    if isinstance(value, (list, dict)):
        return f"a {'list' if isinstance(value, list) else 'mapping'}"
    # A number of a million digits is none to write out.
    return printable(str(value)) if not isinstance(value, int) or abs(value) < 10**18 else "a number past 10^18"


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1e18 < value < 1e18:
        raise ThresholdError(f"{where} is {_value_text(value)}; a number is needed")
    return float(value)


def _loaded(text: str, path: Path) -> CommentedMap:
    data = yaml_file.loaded(text, path, _yaml(), ThresholdError)
    if not isinstance(data, CommentedMap):
        raise ThresholdError(f"{path}: not a mapping with schema, margin_db and thresholds; mend the file")
    return data


def _dumped(data: CommentedMap) -> str:
    stream = io.StringIO()
    _yaml().dump(data, stream)
    return stream.getvalue()


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 4096
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
