"""A plan's HEFs on a Hailo device, by HailoRT's async API (4.18 and later). numpy and HailoRT, nothing else.

One virtual device for all of them; its scheduler loads a HEF when the first of a segment's invocations comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

Array = Any

TIMEOUT_MS = 10_000
"""for one invocation, which takes well under a second"""


class HailortError(Exception):
    """An error that this module found, and HailoRT did not raise: one line."""


class HailoRT:
    """Starts invocations; at most as many are in flight as the device's queue takes.

    `library` is hailo_platform. `ends` has, for each segment, its HEF's file and the names of its inputs and outputs
    there, by role. Exceptions of HailoRT are not caught.
    """

    def __init__(self, library: Any, folder: Path, ends: Mapping[str, Any]) -> None:
        self.library, self.folder, self.ends = library, folder, ends
        self.ahead = 0
        self.models: dict[str, Any] = {}
        # What the device may still write to: an invocation that timed out is still in flight.
        self.flying: dict[int, Any] = {}
        self.stack = ExitStack()

    def __enter__(self) -> HailoRT:
        self.device = self.stack.enter_context(self.library.VDevice())
        if not hasattr(self.device, "create_infer_model"):
            self.stack.close()
            raise HailortError("this HailoRT has no async API; install 4.18 or later")
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def __call__(
        self, segment: Any, inputs: Mapping[str, Array], wanted: Collection[str]
    ) -> Callable[[], Mapping[str, Array]]:
        if segment.name not in self.models:
            self.models[segment.name] = self._configured(segment)
        runner = self.models[segment.name]
        _, inward, outward = self.ends[segment.name]
        # NHWC without the batch, writeable: the library refuses any other buffer, an input's as well.
        given = {
            role: np.require(each[0].transpose(1, 2, 0), np.float32, ["C", "W", "O"]) for role, each in inputs.items()
        }
        results = {
            port.role: np.empty((segment.height, segment.width, port.channels), np.float32) for port in segment.outputs
        }
        bindings = runner.create_bindings()
        for role, name in inward.items():
            _end(bindings.input, name, inward).set_buffer(given[role])
        for role, name in outward.items():
            _end(bindings.output, name, outward).set_buffer(results[role])
        ended: list[Any] = []
        called = threading.Event()

        def done(completion_info: Any = None) -> None:
            # Called by this argument's name in the library's thread, where an exception ends the process.
            ended.append(completion_info)
            self.flying.pop(id(ended), None)
            called.set()

        runner.wait_for_async_ready(TIMEOUT_MS, 1)
        self.flying[id(ended)] = (bindings, given, results, ended)
        job = runner.run_async([bindings], done)

        def wait() -> Mapping[str, Array]:
            job.wait(TIMEOUT_MS)
            if not called.wait(TIMEOUT_MS / 1000):
                raise HailortError(f"{segment.name}: an inference ended and was never told of; see hailort.log")
            # A failed inference is told of by the callback's argument alone.
            for info in ended:
                if (error := getattr(info, "exception", None)) is not None:
                    raise error
            return {role: each.transpose(2, 0, 1)[None] for role, each in results.items()}

        return wait

    def _configured(self, segment: Any) -> Any:
        file, inward, outward = self.ends[segment.name]
        model = self.device.create_infer_model(str(self.folder / file))
        for find, names in ((model.input, inward), (model.output, outward)):
            for name in names.values():
                _end(find, name, names).set_format_type(self.library.FormatType.FLOAT32)
        runner = self.stack.enter_context(model.configure())
        self.ahead = max(1, int(runner.get_async_queue_size())) - 1
        return runner


def _end(find: Callable[..., Any], name: str, names: Mapping[str, str]) -> Any:
    """An input or output: the only one without a name, as documented; of several by name."""
    return find() if len(names) == 1 else find(name)
