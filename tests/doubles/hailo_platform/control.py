"""NOT HailoRT: a device of the double and its control."""

from types import SimpleNamespace

from .errors import refuse, wrapped
from .script import SCRIPT


class _Control:
    def __init__(self, device):
        self._device = device

    def identify(self):
        self._device._there()
        with wrapped():
            SCRIPT.call("identify")
        # The board's name is said to be Hailo-8 on a Hailo-8L too; texts come padded.
        return SimpleNamespace(
            device_architecture=SCRIPT.devices[self._device.device_id],
            firmware_version=SimpleNamespace(major=4, minor=23, revision=0),
            serial_number="HLLWM2A000000\x00\x00\x00",
            board_name="Hailo-8\x00",
        )

    def get_chip_temperature(self):
        self._device._there()
        with wrapped():
            SCRIPT.call("temperature")
            if SCRIPT.temperature is None:
                refuse(56)
        first, second = SCRIPT.temperature
        return SimpleNamespace(ts0_temperature=first, ts1_temperature=second, sample_count=1)

    def power_measurement(self):
        self._device._there()
        with wrapped():
            SCRIPT.call("power")
            if SCRIPT.power is None:
                refuse(56)
        return SCRIPT.power


class Device:
    """Native exceptions come through its making and `scan`."""

    def __init__(self, device_id=None):
        SCRIPT.call("Device")
        self.device_id = next(iter(SCRIPT.devices)) if device_id is None else device_id
        if self.device_id not in SCRIPT.devices:
            refuse(2)
        self._released = False
        SCRIPT.open += 1

    @property
    def control(self):
        return _Control(self)

    @staticmethod
    def scan():
        SCRIPT.call("scan")
        return list(SCRIPT.devices)

    def release(self):
        self._there()
        self._released = True
        SCRIPT.open -= 1

    def _there(self):
        if self._released:
            raise AttributeError("'NoneType' object has no attribute 'control'")
