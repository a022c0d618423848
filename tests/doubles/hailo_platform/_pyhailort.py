"""NOT HailoRT: the native module of the double."""


class HailoRTStatusException(Exception):
    """The status as text. As in 4.x it is no HailoRTException; `scan`, `Device` and `InferVStreams` let it through."""
