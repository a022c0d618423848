"""What a docstring calls by name is there: a name in backticks that was renamed would send its reader nowhere."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.project.imports import tree

ROOT = Path(__file__).parents[2]
QUOTED = re.compile(r"`([A-Za-z_][\w.]*)(?:\([^`\n]*\))?`")
FOREIGN = frozenset(
    {
        # parts of Asteroid, of TorchScript, of pickle, and NumPy's rounding in words
        *("models", "masker", "__torch__", "find_class", "round_half_even"),
        # layers in the compiler's messages
        *("ne_activation_avgpool6", "auto_spatial_reshape_from_dw66_to_conv69_1"),
        # truncation at any depth in an id, and one letter of the keeper's protocol
        *("kN", "K"),
    }
)
"""Names that others gave, and forms of a name."""


@dataclass
class Names:
    """A module's docstrings, what it defines, its strings of one word, and every other word of its code."""

    docstrings: list[str] = field(default_factory=list)
    defined: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)


def names_in(parsed: ast.Module) -> Names:
    names, strings, of_docstrings = Names(), [], set()
    for node in ast.walk(parsed):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.defined.add(node.name)
        if isinstance(node, (ast.Module, ast.ClassDef)):
            assigned = [each for each in node.body if isinstance(each, (ast.Assign, ast.AnnAssign))]
            targets = [each.targets if isinstance(each, ast.Assign) else [each.target] for each in assigned]
            every = [name for group in targets for target in group for name in ast.walk(target)]
            names.defined.update(name.id for name in every if isinstance(name, ast.Name))
        if isinstance(node, ast.Name):
            names.mentioned.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.mentioned.add(node.attr)
        elif isinstance(node, (ast.arg, ast.keyword)):
            names.mentioned.add(node.arg or "")
        elif isinstance(node, ast.alias):
            names.mentioned.update((*node.name.split("."), node.asname or ""))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            of_docstrings.add(node.value)
            names.docstrings.append(str(node.value.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in of_docstrings:
            strings.append(node.value)
    names.values.update(part for each in strings if re.fullmatch(r"[\w.]+", each) for part in each.split("."))
    names.mentioned.update(word for each in strings for word in re.findall(r"\w+", each))
    return names


def unknown(sources: Mapping[str, ast.Module], known: frozenset[str]) -> list[str]:
    """`<file>: <name>` for each name in a docstring that no file defines, and that its own file doesn't use."""
    modules = {file: names_in(parsed) for file, parsed in sources.items()}
    for each in modules.values():
        known = known | each.defined | each.values
    return [
        f"{file}: {part}"
        for file, names in modules.items()
        for text in names.docstrings
        for quoted in QUOTED.findall(text)
        for part in quoted.split(".")
        if part not in known and part not in names.mentioned and not _is_form_of(part, known)
    ]


def _is_form_of(name: str, known: frozenset[str]) -> bool:
    """Numbered (`output0`), or the end of a longer name (`_alpha`), or nothing (the end of `conv.`)."""
    ending = name.startswith("_") and any(each.endswith(name) for each in known)
    return not name or ending or name.rstrip("0123456789") in known


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('def build_network(): ...\ndef other():\n    """As `build` says."""\n', ["a.py: build"]),
        ('def other():\n    """As `build_network` says."""\n', ["a.py: build_network"]),
        ('def build_network():\n    """As `build_network(x)` says."""\n', []),
        ('def other(most):\n    """At most `most`."""\n', []),
        ('class Bars:\n    height = 1\n"""`Bars.height`, `Bar.height`"""\n', ["a.py: Bar"]),
        ('KEY = "onnx_op"\n"""`onnx_op`, `onnx_ops`"""\n', ["a.py: onnx_ops"]),
    ],
)
def test_a_name_that_is_gone_is_found(text: str, found: list[str]) -> None:
    assert unknown({"a.py": ast.parse(text)}, frozenset()) == found


def test_every_name_in_a_docstring_is_there() -> None:
    package = sorted((ROOT / "tasnet").rglob("*"))
    sources = {str(file.relative_to(ROOT)): tree(file) for file in package if file.suffix == ".py"}
    doubles = [names_in(tree(file)) for file in (ROOT / "tests" / "doubles").rglob("*.py")]
    of_files = {part for file in (*package, *ROOT.iterdir()) for part in (file.name, *file.name.split("."))}
    known = of_files | {*keyword.kwlist, *dir(builtins), *dir(signal), *FOREIGN}
    assert unknown(sources, frozenset(known.union(*(each.defined for each in doubles)))) == []
