"""Where a run comes from: the commit, the versions of libraries and the machine."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict

from tasnet.common import GitError, git

LIBRARIES = ("tasnet", "torch", "onnx", "onnxruntime", "numpy")
"""the libraries whose version could change a figure"""


class RunOrigin(BaseModel):
    """Where a run comes from. `commit` is empty outside a git checkout; `dirty` says whether files differed from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: str = ""
    dirty: bool = False
    branch: str = ""
    versions: dict[str, str] = {}
    """library -> version, python among them"""
    system: str = ""
    processor: str = ""
    cores: int = 0
    memory_bytes: int = 0


def find_origin(checkout: Path) -> RunOrigin:
    """The origin of a run that is made now, of the code in `checkout`."""
    return RunOrigin(
        **_of_git(checkout),
        versions={"python": platform.python_version(), **_versions()},
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_bytes=psutil.virtual_memory().total,
    )


def _of_git(checkout: Path) -> dict[str, Any]:
    """What git knows of it, asked once; nothing where there is no git, no checkout, no commit or no answer."""
    try:
        asked = ("--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no")
        told = git(checkout, "status", *asked, seconds=10).splitlines()
    except GitError:
        return {}
    head = dict(line.split(" ", 2)[1:] for line in told if line.startswith("# branch."))
    commit, branch = head.get("branch.oid", "(initial)"), head.get("branch.head", "(detached)")
    if commit == "(initial)":
        return {}
    return {
        "commit": commit,
        "dirty": any(not line.startswith("# ") for line in told),
        "branch": "" if branch == "(detached)" else branch,
    }


def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    """The processor's model name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
