"""A pickle as data: what it holds, names and would call, with nothing imported and nothing called.

`pickletools` of the standard library splits the stream into operations, and a small machine builds plain values from
them. What pickle would import is a `PickledName` here, what it would call is a `PickledObject` with its arguments and
its state. Work and memory are bounded by the length of the stream: nothing is hashed, compared or copied that the
stream can make large.

Others were tried on the files of `benchmarks/outside`: pickle's own machine with `find_class` overridden hangs on a
key of nested tuples, each held twice, which it hashes; torch's (`weights_only=True`) reads neither pickle protocols 4
and 5 nor TorchScript, and allocates as much as a member of the archive says that it has.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

MAX_OPERATIONS = 1_000_000
"""of one pickle; a Conv-TasNet with its optimizer has about 50,000"""

MAX_NAME_CHARS = 1000
"""characters of a class's name with its module"""


class PickleError(ValueError):
    """Not a pickle, a damaged one, or one that is too long. One line."""


@dataclass(frozen=True, eq=False)
class PickledName:
    """A class or a function that the pickle names."""

    module: str
    name: str

    @property
    def full(self) -> str:
        """`module.name`, Python 2's builtins under today's name."""
        return f"{self.module}.{self.name}".replace("__builtin__.", "builtins.", 1)


@dataclass(eq=False)
class PickledObject:
    """What the pickle would make by calling `what` with `args`; then come state, items and pairs."""

    what: object
    args: object = ()
    state: object = None
    items: list[object] = field(default_factory=list)
    pairs: dict[object, object] = field(default_factory=dict)

    @property
    def class_name(self) -> str:
        """The full name of what makes it, empty where the pickle computes that."""
        return self.what.full if isinstance(self.what, PickledName) else ""


@dataclass(frozen=True, eq=False)
class PersistentId:
    """A reference to something outside of the pickle (pickle's persistent id), such as a storage."""

    identity: object


class NonTextKey:
    """Stands for a key that isn't text: nothing here is looked up by one, and hashing it may never end."""


def read_pickle(stream: BytesIO, most: int = MAX_OPERATIONS) -> tuple[object, set[str]]:
    """The pickle at the stream's place, which is then behind it, and the full names in it.

    Raises PickleError, also for one of more than `most` operations.
    """
    machine = _Machine()
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(stream)):
            if count >= most:
                raise PickleError(f"more than {most:,} operations in its pickle")
            machine.step(operation.name, argument)
        content = machine.stack.pop()
    except PickleError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise PickleError(f"damaged pickle ({type(error).__name__})") from None
    return content, machine.names


def mapping(value: object) -> dict[object, object] | None:
    """What a dict holds, or an object that is one (OrderedDict, a subclass); None for all else."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, PickledObject):
        return None
    if value.pairs:
        return value.pairs
    if value.class_name not in ("collections.OrderedDict", "collections.defaultdict", "builtins.dict"):
        return None
    # Python 2 hands an OrderedDict its pairs as a list.
    given = value.args[0] if isinstance(value.args, tuple) and value.args else []
    pairs = given if isinstance(given, list) else []
    return {_key(pair[0]): pair[1] for pair in pairs if isinstance(pair, (list, tuple)) and len(pair) == 2}


def has_attributes(value: object) -> bool:
    """Whether `attributes` gives some, without looking at them."""
    return isinstance(value, PickledObject) and (isinstance(value.state, tuple) or mapping(value.state) is not None)


def attributes(value: object) -> dict[object, object] | None:
    """The attributes of an object; None for what has none."""
    if not isinstance(value, PickledObject):
        return None
    if isinstance(value.state, tuple):
        # The second of a pair are those in slots.
        return {key: each for part in value.state[:2] for key, each in (mapping(part) or {}).items()}
    return mapping(value.state)


def kind_of(value: object) -> str:
    """What a value is, in a few words for a message."""
    if isinstance(value, PickledObject):
        return value.class_name or "computed object"
    if isinstance(value, PickledName):
        return value.full
    return "reference to stored data" if isinstance(value, PersistentId) else type(value).__name__


def walk(value: object) -> Iterator[object]:
    """`value` and everything inside it, each object once, in no particular order."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, (list, tuple)):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, PickledObject):
            waiting += (each.args, each.state, each.items, each.pairs)


def _key(value: object) -> object:
    return value if isinstance(value, str) else NonTextKey()


_LITERALS: dict[str, Callable[[], object]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_SET": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
}
_ARGUMENT = frozenset(
    (
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    )
)
"""Operations that push their argument. Sets are lists here: their members are hashed by nobody."""


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}
        self.names: set[str] = set()

    def step(self, operation: str, argument: Any) -> None:
        """One operation. Raises whatever a damaged pickle makes Python raise."""
        if operation in _ARGUMENT:
            self.stack.append(argument)
        elif operation in _LITERALS:
            self.stack.append(_LITERALS[operation]())
        elif operation in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[argument] = self.stack[-1]
        elif operation == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif operation in ("BINGET", "LONG_BINGET", "GET"):
            self.stack.append(self.memo[argument])
        elif operation not in ("PROTO", "FRAME", "STOP"):
            step = getattr(self, f"_{operation.lower()}", None)
            if step is None:
                raise PickleError(f"its pickle has the operation {operation}, which torch doesn't write")
            step(argument)

    def _marked(self) -> list[Any]:
        """All above the last mark, taken off."""
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def _mark(self, _: object) -> None:
        self.marks.append(len(self.stack))

    def _pop(self, _: object) -> None:
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.stack.pop()

    def _pop_mark(self, _: object) -> None:
        self._marked()

    def _dup(self, _: object) -> None:
        self.stack.append(self.stack[-1])

    # --- containers

    def _list(self, _: object) -> None:
        self.stack.append(self._marked())

    _frozenset = _list

    def _tuple(self, _: object) -> None:
        self.stack.append(tuple(self._marked()))

    def _tuple1(self, _: object) -> None:
        self.stack[-1:] = [tuple(self.stack[-1:])]

    def _tuple2(self, _: object) -> None:
        self.stack[-2:] = [(self.stack[-2], self.stack[-1])]

    def _tuple3(self, _: object) -> None:
        self.stack[-3:] = [(self.stack[-3], self.stack[-2], self.stack[-1])]

    def _dict(self, _: object) -> None:
        made: dict[object, object] = {}
        _set(made, self._marked())
        self.stack.append(made)

    def _append(self, _: object) -> None:
        value = self.stack.pop()
        _extend(self.stack[-1], [value])

    def _appends(self, _: object) -> None:
        values = self._marked()
        _extend(self.stack[-1], values)

    _additems = _appends

    def _setitem(self, _: object) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _set(self.stack[-1], [key, value])

    def _setitems(self, _: object) -> None:
        flat = self._marked()
        _set(self.stack[-1], flat)

    # --- what pickle would import, call and make

    def _named(self, module: str, name: str) -> PickledName:
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleError("its pickle names a class by something that is no text")
        if len(module) + len(name) > MAX_NAME_CHARS:
            raise PickleError(f"its pickle names a class by more than {MAX_NAME_CHARS} characters")
        found = PickledName(module, name)
        self.names.add(found.full)
        return found

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(self._named(module, name))

    def _stack_global(self, _: object) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(self._named(module, name))

    def _inst(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(PickledObject(self._named(module, name), tuple(self._marked())))

    def _obj(self, _: object) -> None:
        what, *given = self._marked()
        self.stack.append(PickledObject(what, tuple(given)))

    def _reduce(self, _: object) -> None:
        given, what = self.stack.pop(), self.stack.pop()
        self.stack.append(PickledObject(what, given))

    _newobj = _reduce

    def _newobj_ex(self, _: object) -> None:
        named, given, what = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self.stack.append(PickledObject(what, (given, named)))

    def _build(self, _: object) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], PickledObject):
            self.stack[-1].state = state

    def _persid(self, argument: object) -> None:
        self.stack.append(PersistentId(argument))

    def _binpersid(self, _: object) -> None:
        self.stack.append(PersistentId(self.stack.pop()))


def _extend(target: object, values: list[object]) -> None:
    if isinstance(target, PickledObject):
        target.items.extend(values)
    elif isinstance(target, list):
        target.extend(values)
    else:
        raise PickleError("its pickle appends to what is no list")


def _set(target: object, flat: list[object]) -> None:
    pairs = target.pairs if isinstance(target, PickledObject) else target
    if not isinstance(pairs, dict) or len(flat) % 2:
        raise PickleError("its pickle sets items of what is no dict")
    for key, value in zip(flat[::2], flat[1::2], strict=True):
        pairs[_key(key)] = value
