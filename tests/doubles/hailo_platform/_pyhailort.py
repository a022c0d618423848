"""NOT HailoRT: the native module of the double."""


class HailoRTStatusException(Exception):
    """As in 4.x: no subclass of HailoRTException, and it escapes `scan`, `Device` and `InferVStreams.__enter__`."""
