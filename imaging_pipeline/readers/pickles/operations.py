"""What each operation of a pickle does to the machine (Python's ``pickletools`` describes all of them).

There is none that calls a function of Python's or changes an object: `_reduce` calls our own symbols, and
`_build` fills drafts of arrays, dtypes and numbers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from imaging_pipeline.readers.pickles import arrays, numpy_sequences
from imaging_pipeline.readers.pickles.keys import checked_keys
from imaging_pipeline.readers.pickles.machine import Draft, Machine, damaged, unsafe
from imaging_pipeline.readers.pickles.symbols import RUAMEL_FLOAT, Symbol, find
from imaging_pipeline.readers.pickles.values import VALUES, Operation

# An empty set takes as much memory as four empty lists.
_ELEMENTS_OF_EMPTY_SET = 3


def _refuse(machine: Machine) -> None:
    code = machine.content[machine.position - 1]
    raise unsafe(f"the operation {bytes([code])!r}")


def _empty(make: Callable[[], Any]) -> Operation:
    def push(machine: Machine) -> None:
        machine.push_container(make())

    return push


def _empty_set(machine: Machine) -> None:
    machine.count(_ELEMENTS_OF_EMPTY_SET)
    machine.push_container(set())


def _mark(machine: Machine) -> None:
    machine.marks.append(len(machine.stack))


def _list(machine: Machine) -> None:
    items = machine.pop_to_mark()
    machine.count(len(items))
    machine.push_container(items)


def _tuple(machine: Machine) -> None:
    items = machine.pop_to_mark()
    machine.count(len(items))
    machine.push_container(tuple(items))


def _short_tuple(num_items: int) -> Operation:
    def push(machine: Machine) -> None:
        # A slice would silently take fewer, or what lies below the mark.
        if len(machine.stack) - (machine.marks[-1] if machine.marks else 0) < num_items:
            raise damaged("a tuple of more values than there are")
        items = tuple(machine.stack[-num_items:])
        del machine.stack[-num_items:]
        machine.push_container(items)

    return push


def _dict(machine: Machine) -> None:
    items = machine.pop_to_mark()
    machine.push_container({})
    _set_items(machine, items)


def _frozenset(machine: Machine) -> None:
    items = machine.pop_to_mark()
    machine.count(len(items))
    machine.push_container(frozenset(checked_keys(machine, items)))


def _append(machine: Machine) -> None:
    _extend(machine, [machine.stack.pop()])


def _appends(machine: Machine) -> None:
    _extend(machine, machine.pop_to_mark())


def _extend(machine: Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if type(target) is not list:
        raise damaged("elements of what is no list")
    machine.count(len(items))
    target.extend(items)


def _add_items(machine: Machine) -> None:
    items = machine.pop_to_mark()
    target = machine.stack[-1]
    if type(target) is not set:
        raise damaged("elements of what is no set")
    machine.count(len(items))
    target.update(checked_keys(machine, items))


def _set_item(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _set_items(machine, [key, value])


def _set_items_to_mark(machine: Machine) -> None:
    _set_items(machine, machine.pop_to_mark())


def _set_items(machine: Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if type(target) not in (dict, OrderedDict) or len(items) % 2:
        raise damaged("entries of what is no dictionary")
    machine.count(len(items))
    keys = checked_keys(machine, items[::2])
    target.update(zip(keys, items[1::2], strict=True))


def _pop(machine: Machine) -> None:
    # At an open mark, the mark is what goes.
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.stack.pop()


def _pop_mark(machine: Machine) -> None:
    machine.pop_to_mark()


def _duplicate(machine: Machine) -> None:
    _push_again(machine, machine.stack[-1])


def _push_again(machine: Machine, value: Any) -> None:
    # A draft that is used before it is filled could become a part of itself.
    if type(value) is Draft:
        raise damaged("a value that holds itself")
    machine.stack.append(value)


def _recall_short(machine: Machine) -> None:
    value = machine.recall(machine.content[machine.position])
    machine.position += 1
    kind = type(value)
    # Most often it is the key of a dictionary, which every ROI names again.
    if kind is str:
        machine.stack.append(value)
    elif kind is not Symbol or not numpy_sequences.push(machine, value):
        _push_again(machine, value)


def _recall(machine: Machine) -> None:
    _push_again(machine, machine.recall(machine.take_number(4)))


def _recall_line(machine: Machine) -> None:
    _push_again(machine, machine.recall(int(machine.take_line())))


def _memoize(machine: Machine) -> None:
    machine.remember()


def _remember(num_bytes: int) -> Operation:
    def put(machine: Machine) -> None:
        machine.remember(machine.take_number(num_bytes))

    return put


def _remember_line(machine: Machine) -> None:
    machine.remember(int(machine.take_line()))


def _global(machine: Machine) -> None:
    machine.stack.append(find(machine.take_line(), machine.take_line()))


def _stack_global(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise damaged("a name that is no text")
    machine.stack.append(find(module, name))


def _reduce(machine: Machine) -> None:
    arguments, symbol = machine.stack.pop(), machine.stack.pop()
    if type(symbol) is not Symbol or type(arguments) is not tuple:
        raise unsafe("a call of a value")
    symbol.call(machine, arguments)


def _new_object(machine: Machine) -> None:
    arguments, symbol = machine.stack.pop(), machine.stack.pop()
    # Of all that is read, programs write only numbers of ruamel.yaml in this way.
    if symbol is not RUAMEL_FLOAT or type(arguments) is not tuple:
        raise unsafe("an object of a class")
    symbol.call(machine, arguments)


def _build(machine: Machine) -> None:
    state = machine.stack.pop()
    draft = machine.stack[-1]
    if type(draft) is not Draft:
        raise unsafe("a change of a value that is finished")
    arrays.fill(machine, draft, state)


def _protocol(machine: Machine) -> None:
    if machine.take_number(1) > 5:
        raise damaged("a protocol that does not exist yet")


def _frame(machine: Machine) -> None:
    # Frames only tell how much may be read at once; all of the pickle is here.
    machine.take(8)


def _stop(machine: Machine) -> None:
    machine.has_stopped = True


_BY_CODE: dict[bytes, Operation] = {
    **VALUES,
    b"]": _empty(list), b"}": _empty(dict), b"\x8f": _empty_set, b")": _empty(tuple),
    b"(": _mark, b"l": _list, b"t": _tuple, b"d": _dict, b"\x91": _frozenset,
    b"\x85": _short_tuple(1), b"\x86": _short_tuple(2), b"\x87": _short_tuple(3),
    b"a": _append, b"e": _appends, b"\x90": _add_items, b"s": _set_item, b"u": _set_items_to_mark,
    b"0": _pop, b"1": _pop_mark, b"2": _duplicate,
    b"h": _recall_short, b"j": _recall, b"g": _recall_line,
    b"\x94": _memoize, b"q": _remember(1), b"r": _remember(4), b"p": _remember_line,
    b"c": _global, b"\x93": _stack_global, b"R": _reduce, b"\x81": _new_object, b"b": _build,
    b"\x80": _protocol, b"\x95": _frame, b".": _stop,
}  # fmt: skip

OPERATIONS: tuple[Operation, ...] = tuple(_BY_CODE.get(bytes([code]), _refuse) for code in range(256))
