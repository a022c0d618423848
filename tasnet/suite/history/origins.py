"""Where a run comes from: the commit, the versions of libraries and the machine."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

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
    commit = _git(checkout, "rev-parse", "HEAD")
    return RunOrigin(
        commit=commit,
        dirty=bool(commit and _git(checkout, "status", "--porcelain", "--untracked-files=no")),
        branch=_git(checkout, "branch", "--show-current") if commit else "",
        versions={"python": platform.python_version(), **_versions()},
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_bytes=psutil.virtual_memory().total,
    )


def _git(checkout: Path, *words: str) -> str:
    """What git answers; empty where there is no git, no checkout or no answer."""
    try:
        return git(checkout, *words, seconds=10).strip()
    except GitError:
        return ""


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
