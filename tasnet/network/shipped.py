"""The trained networks that come with this package: `tasnet:NAME` wherever a checkpoint's path is taken.

`trained/NAME.pth` is a checkpoint in Asteroid's layout, `trained/NAME.md` says what it was trained on and how well it
separates. Nothing is fetched.
"""

from __future__ import annotations

from pathlib import Path

from tasnet.common import TasnetError, printable

SMALL = "tasnet:small"
"""gLN and PReLU, 0.34 M parameters, 8 kHz, two voices"""

_PREFIX = "tasnet:"
FOLDER = Path(__file__).parent / "trained"


class ShippedError(TasnetError, ValueError):
    """A name that no network here has. One line: which there are."""


def checkpoint_file(given: Path | str) -> Path:
    """The file that a checkpoint's name means: `tasnet:NAME` one of the package's own, all else a path.

    A file of such a name is meant by its absolute path. Raises ShippedError.
    """
    text = str(given)
    if not text.startswith(_PREFIX):
        return Path(given)
    path = FOLDER / f"{text.removeprefix(_PREFIX)}.pth"
    if path not in FOLDER.glob("*.pth"):
        known = ", ".join(sorted(checkpoint_name(each) for each in FOLDER.glob("*.pth")))
        raise ShippedError(f"{printable(text)}: no such network comes with tasnet; {known}, or a file")
    return path


def checkpoint_name(path: Path) -> str:
    """How a checkpoint's file is named to a person: `tasnet:NAME` for the package's own, else its path."""
    return f"{_PREFIX}{path.stem}" if path.parent == FOLDER else str(path)
