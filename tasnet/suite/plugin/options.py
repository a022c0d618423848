"""tasnet's own options of pytest: their values, and their names in a message that the commands share."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tasnet.common import TasnetError, error_line
from tasnet.suite.early_options import OPTIONS, PREFIX

_OF_A_COMMAND = r"tasnet(?: [a-z-]+)+ --[a-z-]+"
_SHORT = re.compile(rf"{_OF_A_COMMAND}|(?<![\w-])--(?P<name>{'|'.join(OPTIONS)})(?![\w-])")
_IN_NAMESPACE = PREFIX.removeprefix("--").replace("-", "_")


def option_values(config: pytest.Config) -> dict[str, Any]:
    """Name -> value, named as `RunOptions` names them; what other plugins keep under such a name is not among them."""
    given = vars(config.option).items()
    return {name.removeprefix(_IN_NAMESPACE): value for name, value in given if name.startswith(_IN_NAMESPACE)}


def in_pytest(text: str) -> str:
    """The text with pytest's names for the options; those of a command in it, as in `tasnet gate --base`, stay."""
    return _SHORT.sub(lambda found: f"{PREFIX}{found['name']}" if found["name"] else found[0], text)


def usage_error(error: TasnetError) -> pytest.UsageError:
    """The error as pytest's, one line."""
    return pytest.UsageError(in_pytest(error_line(error)))
