"""Where in a torch file a network's tensors are: bare, in a wrapper, under a prefix, or inside a pickled module.

Training code wraps a state dict in many ways (Lightning's `model.`, DataParallel's `module.`, `{"model": …}`, a whole
module, a TorchScript archive). None of them is known by name here: all dicts and modules of the file are looked
through for the names that a format has, and what stands before those names is the prefix.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tasnet.common import printable
from tasnet.network.checkpoint_formats import FORMATS, CheckpointFormat
from tasnet.network.pickled import PickledObject, attributes, has_attributes, mapping
from tasnet.network.tensor_storage import stored_tensor

MAX_VISITED = 100_000
"""dicts, lists, objects and attributes of a file; a training run's checkpoint has some thousands"""

MAX_ENTRIES = 500_000
"""of the dicts of a file together: more than a pickle of the most operations has, if it has each once"""

MAX_TENSORS = 20_000
"""of a network; a Conv-TasNet of the most blocks has a tenth of them"""

MAX_NETWORKS = 16
MAX_NAME_CHARS = 300

MAX_DEPTH = 8
"""of wrappers around a state dict"""

_AVERAGED = re.compile(r"(?:^|[._\W])(ema|swa|averaged?|avg|shadow|teacher|target)(?:$|[._\W])", re.IGNORECASE)
"""What training code calls a moving average (EMA, SWA) of the weights."""


class TooMuchError(ValueError):
    """A file that holds more than a checkpoint does. One line."""


@dataclass(frozen=True)
class FoundNetwork:
    """A network in the file. `place` is the way to it as a person writes it, empty for the file's own top."""

    place: str
    format: CheckpointFormat | None
    """None where no format's names are in it"""
    entries: Mapping[str, object]
    """name -> value, under the format's own names"""
    around: tuple[Mapping[object, object], ...]
    """the dicts that it lies in, the nearest first"""
    attributes: Mapping[str, object]
    """of a module: dotted name -> what else its parts hold, such as `masker.n_blocks`"""

    @property
    def averaged(self) -> bool:
        """Whether it is called like an average of the trained weights."""
        return bool(_AVERAGED.search(self.place))


@dataclass(frozen=True)
class _Flat:
    """The tensors of a dict or a module, by dotted names, and for a module what else there is."""

    entries: dict[str, object]
    others: dict[str, object]


def find_networks(content: object) -> list[FoundNetwork]:
    """All networks of known formats in the file; else the largest collection of tensors; else nothing.

    Raises TooMuchError.
    """
    networks: list[FoundNetwork] = []
    rest: FoundNetwork | None = None
    for place, flat, around in _collections(content, _Budget()):
        groups = _groups(flat.entries)
        for (prefix, format), entries in groups.items():
            start = f"{prefix}." if prefix else ""
            others = {key[len(start) :]: value for key, value in flat.others.items() if key.startswith(start)}
            if len(entries) > MAX_TENSORS:
                raise TooMuchError(f"more than {MAX_TENSORS:,} tensors under one network's names")
            networks.append(FoundNetwork(_joined(place, prefix), format, entries, around, others))
            if len(networks) > MAX_NETWORKS:
                raise TooMuchError(f"more than {MAX_NETWORKS} networks")
        if not groups and (rest is None or len(flat.entries) > len(rest.entries)):
            rest = FoundNetwork(place, None, flat.entries, around, flat.others)
    return networks or ([rest] if rest else [])


class _Budget:
    """How much may still be looked at: a file may hold one thing many times, in things that it holds many times."""

    def __init__(self) -> None:
        self.left, self.entries = MAX_VISITED, MAX_ENTRIES

    def spend(self, count: int = 1) -> None:
        """Things are looked at."""
        self.left -= count
        if self.left < 0:
            raise TooMuchError(f"more than {MAX_VISITED:,} dicts, lists, objects and attributes")

    def scan(self, count: int) -> None:
        """A dict's entries are gone through."""
        self.entries -= count
        if self.entries < 0:
            raise TooMuchError(f"more than {MAX_ENTRIES:,} entries of dicts")


def _collections(content: object, budget: _Budget) -> Iterator[tuple[str, _Flat, tuple[Mapping[object, object], ...]]]:
    """Every dict and module of the file that holds a tensor itself, with its place and the dicts around it."""
    seen: set[int] = set()
    waiting: deque[tuple[str, object, tuple[Mapping[object, object], ...]]] = deque([("", content, ())])
    while waiting:
        place, value, around = waiting.popleft()
        if id(value) in seen or len(around) > MAX_DEPTH:
            continue
        seen.add(id(value))
        budget.spend()
        inside = mapping(value)
        if inside is not None:
            budget.scan(len(inside))
            named = {key: each for key, each in inside.items() if isinstance(key, str) and len(key) <= MAX_NAME_CHARS}
            if any(stored_tensor(each) for each in named.values()):
                yield place, _Flat(named, {}), around
            waiting += [(_joined(place, key), each, (inside, *around)) for key, each in named.items() if _holds(each)]
        elif isinstance(value, (list, tuple)):
            waiting += [(f"{place}[{index}]", each, ({}, *around)) for index, each in enumerate(value) if _holds(each)]
        elif isinstance(value, PickledObject) and stored_tensor(value) is None:
            flat = _module(value, budget)
            if flat.entries:
                yield place, flat, around
            for key, each in (attributes(value) or {}).items():
                # Beside its tensors it may hold a dict of others; its parts are in `flat` already.
                if isinstance(key, str) and _holds(each) and not (flat.entries and isinstance(each, PickledObject)):
                    waiting.append((_joined(place, key), each, ({}, *around)))


def _module(value: PickledObject, budget: _Budget) -> _Flat:
    """The tensors of a module (pickled or TorchScript) under the names that its state dict has."""
    flat = _Flat({}, {})
    waiting: list[tuple[str, object, int]] = [("", value, 0)]
    while waiting:
        prefix, each, depth = waiting.pop()
        held = attributes(each)
        if held is None or depth > 4 * MAX_DEPTH or len(prefix) > MAX_NAME_CHARS:
            continue
        flat.others[prefix.rstrip(".")] = each
        eager = "_parameters" in held
        for key, inner in held.items():
            budget.spend()
            if not isinstance(key, str) or len(key) > MAX_NAME_CHARS:
                continue
            parts = _named(inner, budget) if eager and key in ("_parameters", "_buffers", "_modules") else {}
            if key == "_modules" and eager:
                waiting += [(f"{prefix}{name}.", part, depth + 1) for name, part in parts.items()]
            elif parts:
                flat.entries.update({f"{prefix}{name}": part for name, part in parts.items() if part is not None})
            elif stored_tensor(inner):
                # TorchScript keeps tensors and parts among the attributes.
                flat.entries[f"{prefix}{key}"] = inner
            elif not eager and has_attributes(inner):
                waiting.append((f"{prefix}{key}.", inner, depth + 1))
            else:
                flat.others[f"{prefix}{key}"] = inner
    return flat


def _named(value: object, budget: _Budget) -> dict[str, object]:
    """What a dict holds under a name of a reasonable length."""
    held = mapping(value) or {}
    budget.spend(len(held))
    return {key: each for key, each in held.items() if isinstance(key, str) and len(key) <= MAX_NAME_CHARS}


def _groups(entries: Mapping[str, object]) -> dict[tuple[str, CheckpointFormat], dict[str, object]]:
    """The entries by prefix and format, without the prefix; entries that stand under no prefix are left out."""
    anchors: dict[str, CheckpointFormat] = {}
    for key in entries:
        for format in FORMATS:
            if match := format.anchor.match(key):
                anchors.setdefault((match["prefix"] or "").rstrip("."), format)
        if len(anchors) > MAX_NETWORKS:
            raise TooMuchError(f"more than {MAX_NETWORKS} networks")
    groups: dict[tuple[str, CheckpointFormat], dict[str, object]] = {
        (prefix, format): {} for prefix, format in anchors.items()
    }
    for key, value in entries.items():
        # The longest prefix: a copy's `ema.model.` begins like no other's, but a bare network's is empty.
        fit = [each for each in anchors if not each or key.startswith(f"{each}.")]
        if fit:
            prefix = max(fit, key=len)
            groups[prefix, anchors[prefix]][key[len(prefix) + 1 if prefix else 0 :]] = value
    return groups


def _holds(value: object) -> bool:
    return isinstance(value, (dict, list, tuple, PickledObject))


def _joined(place: str, name: str) -> str:
    name = printable(name, 60)
    return f"{place}.{name}" if place and name else place or name
