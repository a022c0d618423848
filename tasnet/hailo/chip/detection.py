"""Detects a Hailo device: package, library, driver, device node and chip; and says which of these is missing first.

HailoRT need not be installed. It is imported by name and only here: other modules get it from a Detection.
"""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from tasnet.common import error_line
from tasnet.hailo.chip.failure import RuntimeFailure, hailort_call

PACKAGE = "hailo_platform"
DOUBLE_MARK = "IS_A_TEST_DOUBLE"
"""A module with this attribute is a test double of HailoRT: nothing it says was observed."""


class Missing(str, Enum):
    """What is missing, in the order in which each needs the one before."""

    NOTHING = "nothing"
    PACKAGE = "package"
    LIBRARY = "library version"
    DRIVER = "driver"
    NODE = "node"
    DEVICE = "device"
    ARCHITECTURE = "architecture"


@dataclass(frozen=True)
class Chip:
    """A device: its id on the bus, its architecture (`hailo8`, `hailo8l`, …), firmware and serial number."""

    id: str
    arch: str
    firmware: str = ""
    serial: str = ""


@dataclass(frozen=True)
class Detection:
    """What was found. `reason` says in one line what is missing and what to do; empty if nothing is missing."""

    missing: Missing
    reason: str = ""
    version: str = ""
    """of the Python package, and with it of the library"""
    chips: tuple[Chip, ...] = ()
    double: bool = False
    module: ModuleType | None = field(default=None, repr=False, compare=False)

    @property
    def ready(self) -> bool:
        """Whether there is a chip to run on."""
        return self.missing is Missing.NOTHING


def detect_chip(arch: str | None = None, *, sys_root: Path = Path("/sys"), dev: Path = Path("/dev")) -> Detection:
    """Look for a chip, of architecture `arch` if given. Never raises; changes nothing."""
    try:
        module = importlib.import_module(PACKAGE)
    except Exception as error:
        # A half-loaded package must not be found by the next import.
        sys.modules.pop(PACKAGE, None)
        return Detection(*_import_problem(error))
    version = str(getattr(module, "__version__", ""))
    seen: dict[str, Any] = {"version": version, "module": module, "double": bool(getattr(module, DOUBLE_MARK, False))}
    if version and not version.startswith("4."):
        reason = f"library version: {PACKAGE} {version}; Hailo-8 needs HailoRT 4.x (5.x drives Hailo-10 and 15 alone)"
        return Detection(Missing.LIBRARY, reason, **seen)
    try:
        chips = _chips(module)
    except RuntimeFailure as error:
        missing = {64: Missing.DRIVER, 76: Missing.DRIVER}.get(error.code or 0, Missing.DEVICE)
        return Detection(missing, f"{missing.value}: {error}", **seen)
    if not chips:
        return Detection(*_why_no_device(sys_root, dev), **seen)
    if arch and all(chip.arch != arch for chip in chips):
        found = ", ".join(f"{chip.arch} at {chip.id}" for chip in chips)
        reason = f"architecture: no {arch} here, but {found}; ask for --arch {chips[0].arch}"
        return Detection(Missing.ARCHITECTURE, reason, chips=chips, **seen)
    return Detection(Missing.NOTHING, chips=chips, **seen)


@contextmanager
def open_device(module: ModuleType, device_id: str) -> Iterator[Any]:
    """The library's `Device` of that id, released when left. Raises RuntimeFailure."""
    with hailort_call(f"opening {device_id}"):
        device = module.Device(device_id)
    try:
        yield device
    finally:
        with hailort_call(f"releasing {device_id}"):
            getattr(device, "release", lambda: None)()


def _chips(module: ModuleType) -> tuple[Chip, ...]:
    """The devices that the library finds, identified. Raises RuntimeFailure."""
    with hailort_call("scanning for devices"):
        ids = [str(each) for each in module.Device.scan()]
    chips = []
    for device_id in ids:
        with open_device(module, device_id) as device, hailort_call(f"identifying {device_id}"):
            identity = device.control.identify()
            # The board's name says Hailo-8 on a Hailo-8L too.
            chips.append(
                Chip(
                    device_id,
                    _architecture(identity.device_architecture),
                    _firmware(getattr(identity, "firmware_version", "")),
                    # It comes padded with zero bytes.
                    str(getattr(identity, "serial_number", "")).strip("\0 \t\r\n"),
                )
            )
    return tuple(chips)


def _architecture(value: Any) -> str:
    """`hailo8` for HAILO8, whether the library gives an enum, its number or its name."""
    name = getattr(value, "name", None)
    if name is None and isinstance(value, int):
        name = {1: "HAILO8", 2: "HAILO8L"}.get(value, f"unknown-{value}")
    return str(name if name is not None else value).lower()


def _firmware(value: Any) -> str:
    parts = [getattr(value, name, None) for name in ("major", "minor", "revision")]
    return str(value) if None in parts else ".".join(str(part) for part in parts)


def _import_problem(error: Exception) -> tuple[Missing, str]:
    """What is missing if the package can't be imported, and the reason."""
    text = error_line(error, 200)
    python = platform.python_version()
    if isinstance(error, ModuleNotFoundError) and error.name == PACKAGE:
        return (
            Missing.PACKAGE,
            f"package: {PACKAGE} isn't installed for this Python {python}; install HailoRT 4.x and its wheel "
            "(hailo-all on Raspberry Pi OS, and a venv with --system-site-packages)",
        )
    lowered = text.lower()
    if "numpy" in lowered or "_array_api" in lowered:
        return Missing.PACKAGE, f"package: {PACKAGE} doesn't load ({text}); up to 4.23 it needs numpy < 2"
    if type(error).__name__ == "MissingPyHRTLib" or "libhailort" in lowered or "version" in lowered:
        return (
            Missing.LIBRARY,
            f"library version: {PACKAGE} doesn't load ({type(error).__name__}: {text}); "
            "install libhailort and the wheel of one version",
        )
    return Missing.PACKAGE, f"package: {PACKAGE} doesn't load ({type(error).__name__}: {text}); install it again"


def _why_no_device(sys_root: Path, dev: Path) -> tuple[Missing, str]:
    """What is missing if the library finds no device, and the reason."""
    characters = sys_root / "class" / "hailo_chardev"
    if not characters.is_dir() and not _files_in(sys_root / "module" / "hailo_pci", "version"):
        return (
            Missing.DRIVER,
            f"driver: {characters} isn't there; install hailort-pcie-driver, reboot, and see `dmesg | grep hailo`",
        )
    if not any(_files_in(characters, "*")):
        return Missing.DEVICE, "device: the driver is loaded and found no chip; check the module's seat and `lspci`"
    nodes = sorted(_files_in(dev, "hailo*"))
    if not nodes:
        return Missing.NODE, f"node: no {dev / 'hailo0'}; see udev's rules, or pass --device=/dev/hailo0 to a container"
    try:
        with nodes[0].open("rb"):
            pass
    except OSError as error:
        return Missing.NODE, f"node: {nodes[0]}: {error.strerror}; give this user the right to it"
    return Missing.DEVICE, "device: driver and node are there, and HailoRT finds none; see hailort.log"


def _files_in(folder: Path, pattern: str) -> list[Path]:
    with suppress(OSError):
        return list(folder.glob(pattern))
    return []
