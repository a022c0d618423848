"""Edits of the ledger's text that change single lines. Comments, order, quoting and line ends stay.

The YAML is composed to nodes, which have their places in the text. An edit is a span and the text that replaces it; all
edits are made at once, from the end to the beginning. (ruamel's round trip would lay out the whole file anew: of 30
styles that people write it keeps 9, and it loses comments in flow lists.)
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from tasnet.suite.ledger import Claim, flow_yaml
from tasnet.suite.upkeep.narrowing import PlainClaim, joined_claim, joined_condition


@dataclass
class Edits:
    """The edits of one text. What a method names must stand in the text; `result` is the text with all edits made."""

    text: str
    _spans: list[tuple[int, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._line_end = "\r\n" if "\r\n" in self.text else "\n"
        # What the composer skips has no index: its marks count from after it.
        self._skipped = 1 if self.text.startswith("\ufeff") else 0
        self._starts = [0]
        self._starts += [match.end() for match in re.finditer(r"\n", self.text)]

    @cached_property
    def _root(self) -> Any:
        """The YAML's nodes: made when the first edit asks for one, as most updates make none."""
        return YAML().compose(self.text[self._skipped :])

    def result(self) -> str:
        """The text with the edits made."""
        text = self.text
        for start, end, instead in sorted(self._spans, key=lambda span: span[:2], reverse=True):
            text = text[:start] + instead + text[end:]
        return text

    # --- what is said of the whole file --------------------------------------------------------------------

    def budget(self, count: int, reason: str = "") -> None:
        """Sets the budget, and the reason of its growth if there is one."""
        self._replace(_value(self._root, "budget"), str(count))
        if reason:
            known = _find(self._root, "budget_reason")
            if known is not None:
                self._replace(known[1], json.dumps(reason, ensure_ascii=False))
            else:
                line = self._last_line(_value(self._root, "budget")) + 1
                self._insert(line, f"budget_reason: {json.dumps(reason, ensure_ascii=False)}")

    def add(self, entries: Sequence[Sequence[str]]) -> None:
        """Appends entries, each as its lines without indentation, the first beginning with `id:`."""
        if not entries:
            return
        listed = _value(self._root, "entries")
        items = _items(listed)
        column = listed.start_mark.column if items and not listed.flow_style else 2
        lines: list[str] = []
        for entry in entries:
            lines += ["", f"{' ' * column}- {entry[0]}", *(f"{' ' * column}  {line}" for line in entry[1:])]
        if items:
            self._insert(self._last_line(listed) + 1, self._line_end.join(lines))
        else:
            start = self._at(listed.start_mark)
            start -= self.text[start - 1] == " "
            self._spans.append((start, self._at(listed.end_mark), self._line_end + self._line_end.join(lines[1:])))

    # --- entries -------------------------------------------------------------------------------------------

    def remove(self, indices: Iterable[int]) -> None:
        """Removes entries with the comment right above each, and the empty line that parted it from the next one."""
        gone = set(indices)
        if not gone:
            return
        items = _items(_value(self._root, "entries"))
        if gone == set(range(len(items))):
            first, last = self._entry_lines(items[0])[0], self._entry_lines(items[-1])[1]
            key = _find(self._root, "entries")
            assert key is not None
            self._spans.append((self._at(key[0].end_mark) + 1, self._starts[first], f" []{self._line_end}"))
            self._spans.append((self._starts[first], self._line(last + 1), ""))
            return
        for index in sorted(gone):
            first, last = self._entry_lines(items[index])
            end = last + 1
            # The last one takes the empty line before it along, any other the one after it.
            if index == len(items) - 1 or all(later in gone for later in range(index, len(items))):
                while first > 0 and not self._of(first - 1).strip():
                    first -= 1
            elif end < len(self._starts) and not self._of(end).strip():
                end += 1
            self._spans.append((self._starts[first], self._line(end), ""))

    def narrow(self, index: int, where: Sequence[Claim], added: Sequence[Sequence[PlainClaim]]) -> None:
        """Adds conditions to the `where` of an entry: `added` has for each claim what `narrowed` says of it."""
        entry = _items(_value(self._root, "entries"))[index]
        self._narrow(_value(entry, "where"), where, added, entry.start_mark.column)

    def scope(self, index: int, toolchain: str, version: str | None, where: object = None) -> None:
        """Sets what an entry says of one toolchain; no version removes the toolchain from it."""
        scopes = _value(_items(_value(self._root, "entries"))[index], "toolchain")
        found = _find(scopes, toolchain)
        assert found is not None
        if version is None:
            self._drop(scopes, found)
        else:
            value = {"version": version, "where": where} if where is not None else version
            self._replace(found[1], flow_yaml(value) if where is not None else json.dumps(version))

    # --- inside --------------------------------------------------------------------------------------------

    def _narrow(self, node: Any, where: Sequence[Claim], added: Sequence[Sequence[PlainClaim]], indent: int) -> None:
        if all(list(each) == [{}] for each in added):
            return
        if isinstance(node, MappingNode):
            if len(added[0]) == 1:
                self._add_to(node, where[0], added[0][0])
            else:
                self._as_list(node, [joined_claim(where[0], each) for each in added[0]], indent)
            return
        if any(len(each) > 1 for each in added) or node.flow_style:
            self._as_list(
                node,
                [joined_claim(claim, one) for claim, each in zip(where, added, strict=True) for one in each],
                indent,
            )
            return
        for item, claim, each in zip(_items(node), where, added, strict=True):
            if not each:
                first, last = item.start_mark.line, self._last_line(item)
                self._spans.append((self._starts[first], self._line(last + 1), ""))
            elif each[0]:
                self._add_to(item, claim, each[0])

    def _add_to(self, node: MappingNode, claim: Claim, added: PlainClaim) -> None:
        """Conditions into the map of a claim."""
        new = []
        for axis, condition in added.items():
            found = _find(node, axis)
            if found is None:
                new.append(f"{axis}: {flow_yaml(condition)}")
            else:
                self._replace(found[1], flow_yaml(joined_condition(axis, claim[axis], condition)))
        if not new:
            return
        if node.flow_style:
            at = self._at(node.value[-1][1].end_mark) if node.value else self._at(node.start_mark) + 1
            self._spans.append((at, at, (", " if node.value else "") + ", ".join(new)))
        else:
            column = node.value[0][0].start_mark.column
            line = self._last_line(node) + 1
            self._insert(line, self._line_end.join(f"{' ' * column}{each}" for each in new))

    def _as_list(self, node: Any, claims: Sequence[object], indent: int) -> None:
        lines = "".join(f"{self._line_end}{' ' * (indent + 2)}- {flow_yaml(claim)}" for claim in claims)
        start = self._at(node.start_mark)
        if node.flow_style:
            # without the blank after `where:`
            start -= self.text[start - 1] == " "
            self._spans.append((start, self._at(node.end_mark), lines))
            return
        first = node.start_mark.line
        last = self._last_line(node)
        self._spans.append(
            (self._starts[first] - len(self._line_end), self._line(last + 1) - len(self._line_end), lines)
        )

    def _drop(self, mapping: MappingNode, pair: tuple[Node, Node]) -> None:
        keys = [key for key, _ in mapping.value]
        place = keys.index(pair[0])
        if not mapping.flow_style:
            first, last = pair[0].start_mark.line, self._last_line(pair[1])
            self._spans.append((self._starts[first], self._line(last + 1), ""))
        elif place + 1 < len(keys):
            self._spans.append((self._at(pair[0].start_mark), self._at(keys[place + 1].start_mark), ""))
        else:
            before = mapping.value[place - 1][1]
            self._spans.append((self._at(before.end_mark), self._at(pair[1].end_mark), ""))

    def _replace(self, node: Any, instead: str) -> None:
        if isinstance(node, CollectionNode) and not node.flow_style:
            # A block below its key: one line beside the key takes its place.
            first, last = node.start_mark.line, self._last_line(node)
            before = self._starts[first] - len(self._line_end)
            self._spans.append((before, self._line(last + 1) - len(self._line_end), f" {instead}"))
            return
        self._spans.append((self._at(node.start_mark), self._at(node.end_mark), instead))

    def _insert(self, line: int, added: str) -> None:
        at = self._line(line)
        # A last line without its end gets one.
        ended = at == 0 or self.text[:at].endswith("\n")
        self._spans.append((at, at, f"{added}{self._line_end}" if ended else f"{self._line_end}{added}"))

    def _entry_lines(self, entry: Node) -> tuple[int, int]:
        """First and last line of an entry with its comments: right above in its column, right below further in."""
        first, last = entry.start_mark.line, self._last_line(entry)
        dash = len(self._of(first)) - len(self._of(first).lstrip(" \ufeff"))
        while first > 0 and re.match(rf" {{{dash}}}#", self._of(first - 1)):
            first -= 1
        while re.match(rf" {{{dash + 1},}}#", self._of(last + 1)):
            last += 1
        return first, last

    def _last_line(self, node: Node) -> int:
        """The last line on which something of the node stands."""
        if isinstance(node, CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            key, value = last if isinstance(last, tuple) else (None, last)
            # An alias has the marks of its anchor, which stands further up: the alias itself stands behind its key.
            if key is not None and value.start_mark.index < key.end_mark.index:
                alias = self.text.index("*", self._at(key.end_mark))
                return bisect.bisect_right(self._starts, alias) - 1
            return self._last_line(value)
        mark = node.end_mark
        # A block scalar ends at the beginning of what follows it.
        line: int = mark.line
        if mark.column == 0 and line > node.start_mark.line:
            line -= 1
            while line > node.start_mark.line and not self._of(line).strip():
                line -= 1
        return line

    def _at(self, mark: Any) -> int:
        return int(mark.index) + self._skipped

    def _line(self, number: int) -> int:
        return self._starts[number] if number < len(self._starts) else len(self.text)

    def _of(self, line: int) -> str:
        return self.text[self._line(line) : self._line(line + 1)]


def _items(node: Node) -> list[Any]:
    return list(node.value) if isinstance(node, SequenceNode) else []


def _find(node: Node, key: str) -> tuple[Node, Node] | None:
    return next(((name, value) for name, value in node.value if name.value == key), None)


def _value(node: Node, key: str) -> Any:
    found = _find(node, key)
    if found is None:
        raise KeyError(key)
    return found[1]
