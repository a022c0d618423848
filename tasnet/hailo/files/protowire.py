"""The protobuf wire format, read only: no schema, no generated code, no recursion.

`read_message` walks the fields of one message inside a buffer (bytes or a memory map) and keeps those it is asked
for; payloads of the others are skipped, never copied. Every length is checked against the end of the message that
holds it, and nothing is allocated from a length alone. Groups (wire types 3 and 4) are refused.

Protobuf's own runtime bounds nothing: it copies every field that it doesn't know, and makes an object of every
message. A HEF with 200 MiB of configuration takes it 420 MiB, and one of 100 million empty contexts 4.4 GiB; read
here, both take about 30 MiB, Python and numpy included.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Buffer = bytes | mmap.mmap

VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5

MAX_REPEATED = 65_536
"""most values kept of one field in one message"""
MAX_FIELDS = 1 << 20
"""most fields of one message, kept or stepped over"""
MAX_TEXT = 65_536
"""longest text, in bytes"""
_MAX_PACKED = 1 << 20
"""most values in one packed list"""
_MAX_NUMBER = (1 << 29) - 1


class WireError(ValueError):
    """Bytes that are no protobuf message. The message says what is wrong and at which byte of the buffer."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `value` is a varint's value (wire type 0); `start` and `stop` bound any other payload."""

    wire: int
    value: int
    start: int
    stop: int


@dataclass(frozen=True)
class Message:
    """The kept fields of one message, by number, in file order; an absent value reads 0 or empty."""

    buffer: Buffer
    fields: Mapping[int, list[Field]]
    stepped_over: int = 0
    """how many fields were not asked for"""

    def _last(self, number: int, wire: int) -> Field | None:
        kept = self.fields.get(number)
        if not kept:
            return None
        return _of_wire(number, kept[-1], wire)

    def varint(self, number: int) -> int:
        """An unsigned integer."""
        field = self._last(number, VARINT)
        return 0 if field is None else field.value

    def float32(self, number: int) -> float:
        """A 32-bit float."""
        field = self._last(number, FIXED32)
        return 0.0 if field is None else _float(self.buffer, field)

    def number(self, number: int) -> float:
        """A double, or an integer or a 32-bit float where the schema is not known to say double."""
        kept = self.fields.get(number)
        if not kept:
            return 0.0
        if kept[-1].wire == VARINT:
            return float(kept[-1].value)
        if kept[-1].wire == LENGTH_DELIMITED:
            raise WireError(f"field {number} at byte {kept[-1].start} has wire type 2, not a number's")
        return _float(self.buffer, kept[-1])

    def text(self, number: int) -> str:
        """A UTF-8 text."""
        field = self._last(number, LENGTH_DELIMITED)
        return "" if field is None else _text(self.buffer, number, field)

    def texts(self, number: int) -> tuple[str, ...]:
        """A repeated text."""
        return tuple(
            _text(self.buffer, number, _of_wire(number, f, LENGTH_DELIMITED)) for f in self.fields.get(number, ())
        )

    def doubles(self, number: int) -> tuple[float, ...]:
        """A repeated double, packed or not."""
        values: list[float] = []
        for field in self.fields.get(number, ()):
            if field.wire == FIXED64:
                values.append(_float(self.buffer, field))
                continue
            size = _of_wire(number, field, LENGTH_DELIMITED).stop - field.start
            where = f"field {number} at byte {field.start}: {size} bytes of doubles"
            if size % 8:
                raise WireError(f"{where}, not a multiple of 8")
            if size // 8 > _MAX_PACKED - len(values):
                raise WireError(f"{where}, and at most {_MAX_PACKED:,} values are read")
            values.extend(struct.unpack(f"<{size // 8}d", self.buffer[field.start : field.stop]))
        return tuple(values)

    def message(self, number: int, *wanted: int) -> Message:
        """An inner message with its fields `wanted`; an absent one is empty."""
        field = self._last(number, LENGTH_DELIMITED)
        if field is None:
            return Message(self.buffer, {})
        return read_message(self.buffer, field.start, field.stop, *wanted)

    def messages(self, number: int, *wanted: int) -> Iterator[Message]:
        """A repeated inner message, one at a time."""
        for field in self.fields.get(number, ()):
            _of_wire(number, field, LENGTH_DELIMITED)
            yield read_message(self.buffer, field.start, field.stop, *wanted)

    def count(self, number: int) -> int:
        """How often the message has the field."""
        return len(self.fields.get(number, ()))


def read_message(buffer: Buffer, start: int, stop: int, *wanted: int) -> Message:
    """The message at bytes [start, stop) with its fields `wanted`. Raises WireError."""
    kept: dict[int, list[Field]] = {}
    stepped_over = steps = 0
    position = start
    while position < stop:
        tag_at = position
        steps += 1
        if steps > MAX_FIELDS:
            raise WireError(f"a message has more than {MAX_FIELDS} fields before byte {tag_at}")
        tag, position = _varint(buffer, position, stop)
        number, wire = tag >> 3, tag & 7
        if not 0 < number <= _MAX_NUMBER:
            raise WireError(f"field number {number} at byte {tag_at} does not exist")
        value, begin = 0, position
        if wire == VARINT:
            value, position = _varint(buffer, position, stop)
        elif wire == FIXED64:
            position += 8
        elif wire == FIXED32:
            position += 4
        elif wire == LENGTH_DELIMITED:
            size, begin = _varint(buffer, position, stop)
            position = begin + size
        else:
            raise WireError(f"wire type {wire} at byte {tag_at} is not used in this format")
        if position > stop:
            raise WireError(f"field {number} at byte {tag_at} runs {position - stop} bytes over its message")
        if number in wanted:
            fields = kept.setdefault(number, [])
            if len(fields) == MAX_REPEATED:
                raise WireError(f"field {number} appears more than {MAX_REPEATED} times before byte {tag_at}")
            fields.append(Field(wire, value, begin, position))
        else:
            stepped_over += 1
    return Message(buffer, kept, stepped_over)


def _varint(buffer: Buffer, position: int, stop: int) -> tuple[int, int]:
    """A varint and the byte after it; more than 64 bits are cut off, as protobuf does."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= stop:
            raise WireError(f"an integer is cut short at byte {position}")
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise WireError(f"an integer of more than 10 bytes ends nowhere before byte {position}")


def _of_wire(number: int, field: Field, wire: int) -> Field:
    if field.wire != wire:
        raise WireError(f"field {number} at byte {field.start} has wire type {field.wire}, not {wire}")
    return field


def _float(buffer: Buffer, field: Field) -> float:
    form = "<f" if field.wire == FIXED32 else "<d"
    return float(struct.unpack(form, buffer[field.start : field.stop])[0])


def _text(buffer: Buffer, number: int, field: Field) -> str:
    if field.stop - field.start > MAX_TEXT:
        raise WireError(f"field {number} at byte {field.start}: a text of {field.stop - field.start} bytes")
    try:
        return buffer[field.start : field.stop].decode()
    except UnicodeDecodeError:
        raise WireError(f"field {number} at byte {field.start} is not UTF-8 text") from None
