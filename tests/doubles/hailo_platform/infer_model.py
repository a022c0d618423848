"""NOT HailoRT: the async API of the double, as documented for 4.18 to 4.23.

A job runs in a native thread, which writes into the buffers it was given and holds none of them: one that is gone by
then is a write into freed memory. The callback is called by keyword, `callback(completion_info=...)`, and what it
raises is caught by nobody: `Script.terminate`.
"""

import queue
import threading
import time
import weakref

import numpy as np

from tasnet.hailo.files import hef as hefs

from .classic import HEF, ConfiguredNetwork
from .errors import HailoRTException, HailoRTTimeout, of_status, refuse, wrapped
from .formats import FormatType
from .script import SCRIPT, Open


class VDevice(Open):
    """Open from its making on; `with` and `release` close it."""

    def __init__(self, params=None, *, device_ids=None):
        super().__init__()
        if device_ids is not None and not all(isinstance(each, str) for each in device_ids):
            raise TypeError("VDevice.create(): incompatible function arguments")
        with wrapped():
            SCRIPT.call("VDevice")
            if not SCRIPT.devices or not set(device_ids or ()) <= set(SCRIPT.devices):
                refuse(74)
        super().__enter__()

    def __enter__(self):
        self._there()
        return self

    def release(self):
        self.__exit__()

    def configure(self, hef, configure_params_by_name=None):
        self._there()
        if not isinstance(hef, HEF):
            raise TypeError("configure(): incompatible function arguments")
        with wrapped():
            SCRIPT.call("configure")
        return [ConfiguredNetwork(self, hef)]

    def __getattr__(self, name):
        if name == "create_infer_model" and SCRIPT.has_async:
            return self._create_infer_model
        raise AttributeError(name)

    def _create_infer_model(self, hef_source, name=""):
        self._there()
        if not isinstance(hef_source, str | bytes):
            raise TypeError("create_infer_model_from_file(): incompatible function arguments")
        with wrapped():
            SCRIPT.call("create_infer_model")
        return InferModel(self, hefs.read_hef(hef_source))

    def _there(self):
        if not self._open:
            raise AttributeError("'NoneType' object has no attribute 'create_infer_model': the device is released")


def _named(streams, name):
    """A model's or bindings' stream: the only one without a name, of several by name."""
    with wrapped():
        if name == "" and len(streams) > 1:
            refuse(6)
        if name == "":
            return next(iter(streams.values()))
        if name not in streams:
            refuse(61)
    return streams[name]


class _ModelStream:
    def __init__(self, edge):
        self.name, self.shape = edge.name, edge.shape
        self._format = FormatType.UINT8

    def set_format_type(self, type):
        if not isinstance(type, FormatType):
            raise TypeError("set_format_type(): incompatible function arguments")
        self._format = type


class InferModel:
    def __init__(self, device, hef):
        self._device, self._hef = device, hef
        self._inputs = {edge.name: _ModelStream(edge) for edge in hef.inputs}
        self._outputs = {edge.name: _ModelStream(edge) for edge in hef.outputs}

    @property
    def inputs(self):
        return list(self._inputs.values())

    @property
    def outputs(self):
        return list(self._outputs.values())

    def input(self, name=""):
        return _named(self._inputs, name)

    def output(self, name=""):
        return _named(self._outputs, name)

    def configure(self):
        self._device._there()
        with wrapped():
            SCRIPT.call("configure")
        return ConfiguredInferModel(self._device, self._hef, self._inputs, self._outputs)


class _Buffer:
    """Its buffer is held by the Python layer, as long as the bindings are."""

    def __init__(self, stream):
        self._stream, self._buffer = stream, None

    def set_buffer(self, buffer):
        if not isinstance(buffer, np.ndarray):
            raise TypeError("set_buffer(): incompatible function arguments")
        if not buffer.flags.writeable:
            raise ValueError("array is not writeable")
        wanted = {FormatType.FLOAT32: np.float32, FormatType.UINT8: np.uint8, FormatType.UINT16: np.uint16}
        with wrapped():
            SCRIPT.call("set_buffer")
            right = buffer.dtype == wanted[self._stream._format] and buffer.shape == self._stream.shape
            if not right or not buffer.flags.c_contiguous:
                refuse(2)
        self._buffer = buffer


class _Bindings:
    def __init__(self, inputs, outputs):
        self._inputs = {name: _Buffer(stream) for name, stream in inputs.items()}
        self._outputs = {name: _Buffer(stream) for name, stream in outputs.items()}

    def input(self, name=""):
        return _named(self._inputs, name)

    def output(self, name=""):
        return _named(self._outputs, name)


class AsyncInferCompletionInfo:
    def __init__(self, exception):
        self._exception = exception

    @property
    def exception(self):
        return self._exception


class AsyncInferJob:
    def __init__(self):
        self._done = threading.Event()

    def wait(self, timeout_ms):
        with wrapped():
            SCRIPT.call("wait")
        if not self._done.wait(timeout_ms / 1000):
            raise HailoRTTimeout("Received a timeout - hailort has failed because a timeout had occurred")


class ConfiguredInferModel(Open):
    def __init__(self, device, hef, inputs, outputs):
        super().__init__()
        self._device, self._hef, self._streams = device, hef, (inputs, outputs)
        self._jobs: queue.Queue = queue.Queue()
        self._in_flight = 0
        self._changed = threading.Condition()
        self._aborted = False

    def __enter__(self):
        self._device._there()
        threading.Thread(target=self._native, daemon=True).start()
        return super().__enter__()

    def __exit__(self, *_):
        # What is still under way is aborted, and its callback says so.
        self._aborted = True
        self._jobs.put(None)
        super().__exit__()

    def activate(self):
        """With the device's scheduler nothing is activated by hand."""
        with wrapped():
            refuse(6)

    def get_async_queue_size(self):
        self._there()
        with wrapped():
            SCRIPT.call("get_async_queue_size")
        return SCRIPT.queue

    def create_bindings(self, input_buffers=None, output_buffers=None):
        self._there()
        with wrapped():
            SCRIPT.call("create_bindings")
        return _Bindings(*self._streams)

    def wait_for_async_ready(self, timeout_ms=1000, frames_count=1):
        self._there()
        with wrapped():
            SCRIPT.call("wait_for_async_ready")
            if frames_count > SCRIPT.queue:
                refuse(2)
        with self._changed:
            if not self._changed.wait_for(lambda: self._in_flight + frames_count <= SCRIPT.queue, timeout_ms / 1000):
                raise of_status(4)

    def run_async(self, bindings, callback=None):
        self._there()
        if not isinstance(bindings, list) or not all(isinstance(each, _Bindings) for each in bindings):
            raise TypeError("run_async(): incompatible function arguments")
        with wrapped():
            SCRIPT.call("run_async")
            for each in bindings:
                if any(side._buffer is None for side in (*each._inputs.values(), *each._outputs.values())):
                    refuse(2)
            with self._changed:
                if self._in_flight + len(bindings) > SCRIPT.queue:
                    refuse(82)
                self._in_flight += len(bindings)
                SCRIPT.most_in_flight = max(SCRIPT.most_in_flight, self._in_flight)
        job = AsyncInferJob()
        addresses = [
            tuple({name: weakref.ref(side._buffer) for name, side in sides.items()} for sides in pair)
            for pair in ((each._inputs, each._outputs) for each in bindings)
        ]
        self._jobs.put((job, addresses, callback))
        return job

    def _there(self):
        self._device._there()
        if not self._open:
            raise HailoRTException("libhailort failed with error: 6 (HAILO_INVALID_OPERATION)")

    # The native thread

    def _native(self):
        while (told := self._jobs.get()) is not None:
            job, addresses, callback = told
            if SCRIPT.gate is not None:
                SCRIPT.gate.wait()
            time.sleep(SCRIPT.pause)
            error = of_status(62) if self._aborted else SCRIPT.raises.get("completion")
            try:
                for inputs, outputs in addresses if error is None else ():
                    self._write(inputs, outputs)
                if callback is not None:
                    callback(completion_info=AsyncInferCompletionInfo(error))
            except BaseException as broken:
                SCRIPT.terminate(broken)
            with self._changed:
                self._in_flight -= len(addresses)
                self._changed.notify_all()
            job._done.set()

    def _write(self, inputs, outputs):
        data = {name: at() for name, at in inputs.items()}
        target = {name: at() for name, at in outputs.items()}
        if any(each is None for each in (*data.values(), *target.values())):
            raise MemoryError("a buffer was freed before its job was done")
        for name, value in SCRIPT.results(self._hef, data).items():
            target[name][...] = value
