"""A YAML file that a person wrote, read within bounds: whatever stands in it, values or one line of what is wrong.

The reader works in pure Python and takes a second for 20,000 values; of nested ones it takes more than it has to. Its
own errors are many, and some are no errors of YAML: a 30 February is a ValueError, `!!bool x` a KeyError.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from tasnet.common import bounded
from tasnet.common.printing import printable

MAX_YAML_CHARS = 1 << 20
"""bytes; a ledger with 300 entries has a fifth of that"""

MAX_MARKS = 50_000
"""of the characters that part values, `, : [ {`; a ledger with 300 entries has 10,000"""


def text(path: Path, what: str, error: type[Exception]) -> str:
    """The file's text, its line ends as they are. Raises `error`, one line; `what` it should be: "a ledger"."""
    return bounded.read_text(path, most=MAX_YAML_CHARS, what=what, error=error)


def loaded(content: str, path: Path, yaml: YAML, error: type[Exception]) -> Any:
    """The value that YAML text means. Raises `error`: `path:line:column: what is wrong; what to do`."""
    marks = sum(map(content.count, ",:[{"))
    if len(content) > MAX_YAML_CHARS or marks > MAX_MARKS:
        raise error(
            f"{path}:1:1: {len(content):,} characters with {marks:,} of , : [ {{; at most {MAX_MARKS:,} are read"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return yaml.load(content)
    except MarkedYAMLError as refused:
        mark = refused.problem_mark or refused.context_mark
        where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        what = (refused.problem or "not YAML").splitlines()[0]
        raise error(f"{path}:{where}: {printable(what)}; mend the YAML there") from None
    except YAMLError as refused:
        raise error(f"{path}:1:1: {printable(str(refused).splitlines()[0])}; mend the YAML") from None
    except RecursionError:
        raise error(f"{path}:1:1: nested without end; an alias may not stand inside its own anchor") from None
    except Exception as refused:
        # The reader builds dates, numbers and tagged values as it goes, and lets their errors through.
        raise error(f"{path}:1:1: {printable(str(refused)) or type(refused).__name__}; mend the value") from None
