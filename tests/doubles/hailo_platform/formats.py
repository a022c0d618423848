"""NOT HailoRT: the types of elements that both APIs take."""

import enum


class FormatType(enum.Enum):
    AUTO = 0
    UINT8 = 1
    UINT16 = 2
    FLOAT32 = 3
