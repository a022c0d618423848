"""Edits of a ledger's text: whatever the style of the file, entries that an edit doesn't name stay byte for byte."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tasnet.suite.ledger import read_where
from tasnet.suite.upkeep.text_edits import Edits

SUMMARIES = (
    "summary: a plain text",
    "summary:   aligned, and blanks behind   ",
    'summary: "escaped \\u00e9 \\x41 \\/ in quotes"  # a comment',
    "summary: 'it''s quoted'",
    "summary: a plain text that\n  goes on",
    'summary: "a quoted text that\n  goes on"',
    "summary: >-\n  folded\n  text",
    "summary: |\n  literal: text\n  # no comment",
    "? summary\n: with a question mark",
    "'summary': " + "long " * 60 + "text",
    "summary: größer als 𝟏",
)
ARCHES = (
    "arch: [hailo8]",
    "arch: [ hailo8,  'hailo8l' ]",
    "arch: [hailo8,  # why\n       hailo8l]",
    "arch:\n- hailo8\n- hailo8l  # why",
    "arch:\n    - hailo8\n\n    # and\n    - hailo8l",
)
WHERES = (
    "where: {decoder: grouped}",
    "where: { decoder: grouped }  # all of them",
    "where:\n  decoder: grouped  # all",
)
SCOPES = (
    'toolchain: {reference: "*", dfc: ">=3.33"}',
    "toolchain: { dfc: '*',\n             reference: '*' }",
    'toolchain:\n  dfc: "*"\n  reference: "*"',
)
ORDERS = st.permutations(range(5))
BETWEEN = st.sampled_from(("", "\n", "  \n", "\n\n", "{}# above\n", "\n{}# above\n{}# and so\n"))


@st.composite
def entry_chunks(draw: st.DrawFn) -> tuple[list[str], str, str]:
    """The entries, each with what stands above it; what stands above all of them; what stands below."""
    column = " " * draw(st.integers(0, 4))
    chunks = []
    for number in range(draw(st.integers(1, 4))):
        anchored = draw(st.booleans())
        keys = [
            draw(st.sampled_from(SUMMARIES)),
            draw(st.sampled_from(ARCHES)),
            draw(st.sampled_from(WHERES)),
            draw(st.sampled_from(SCOPES)),
            f"evidence: {f'&seen{number} ' if anchored else ''}seen\nowner: {f'*seen{number}' if anchored else 'me'}",
        ]
        lines = "\n".join([f"id: entry-{number}", *(keys[index] for index in draw(ORDERS))]).split("\n")
        body = "".join(f"{column}{'- ' if not at else '  '}{line}\n" for at, line in enumerate(lines))
        above = draw(BETWEEN).format(column, column) if number else ""
        chunks.append(above + body)
    head = draw(st.sampled_from(("", "# of the team\n", "%YAML 1.2\n---\n"))) + "schema: 1\nbudget: 9\nentries:\n"
    return chunks, head, draw(st.sampled_from(("", "# the end\n", "\nowner: the team\n")))


def loaded(text: str) -> object:
    """What the text means."""
    return json.loads(json.dumps(YAML(typ="safe").load(text)))


@settings(max_examples=60)
@given(entry_chunks(), st.data(), st.sampled_from(("narrow", "scope", "drop", "remove")), st.booleans(), st.booleans())
def test_entries_that_an_edit_does_not_name_stay_byte_for_byte(
    parts: tuple[list[str], str, str], data: st.DataObject, edit: str, windows: bool, ended: bool
) -> None:
    chunks, head, tail = parts
    index = data.draw(st.integers(0, len(chunks) - 1))
    line_end = "\r\n" if windows else "\n"
    chunks, head, tail = (
        [each.replace("\n", line_end) for each in chunks],
        *(each.replace("\n", line_end) for each in (head, tail)),
    )
    if not ended:
        *chunks, tail = [*chunks, tail.rstrip()] if tail else [*chunks[:-1], chunks[-1].rstrip(), ""]
    text = head + "".join(chunks) + tail
    meant = loaded(text)
    assert isinstance(meant, dict)
    edits = Edits(text)
    if edit == "narrow":
        edits.narrow(index, read_where({"decoder": "grouped"}), [[{"sources": "all"}]])
        meant["entries"][index]["where"]["sources"] = "all"
    elif edit == "scope":
        edits.scope(index, "dfc", "*", {"decoder": "grouped"})
        meant["entries"][index]["toolchain"]["dfc"] = {"version": "*", "where": {"decoder": "grouped"}}
    elif edit == "drop":
        edits.scope(index, "dfc", None)
        del meant["entries"][index]["toolchain"]["dfc"]
    else:
        edits.remove([index])
        del meant["entries"][index]
    after = edits.result()
    assert loaded(after) == meant
    before, behind = head + "".join(chunks[:index]), "".join(chunks[index + 1 :]) + tail
    if edit != "remove":
        assert after.startswith(before)
        assert after.endswith(behind)
        return
    if len(chunks) > 1:
        # A blank line goes with the entry that it parted from the next one.
        assert after.startswith(before.rstrip(" \r\n"))
    assert after.endswith(behind.removeprefix(line_end).removeprefix("  " + line_end))


def test_an_entry_that_ends_in_an_alias_goes_whole() -> None:
    """An alias has its anchor's place in the parsed text."""
    entry = "- id: one\n  evidence: &seen seen\n  owner: *seen\n"
    edits = Edits(f"schema: 1\nentries:\n{entry}")
    edits.remove([0])
    assert loaded(edits.result()) == {"schema": 1, "entries": []}
