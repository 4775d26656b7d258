"""Reading a pickle that a stranger may have written."""

from __future__ import annotations

import struct
from typing import Any

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.pickles import extent
from imaging_pipeline.readers.pickles.machine import (
    MAX_CONTAINERS,
    MAX_OPERATIONS,
    Machine,
    damaged,
    too_large,
)
from imaging_pipeline.readers.pickles.operations import OPERATIONS

# What operations make of a pickle that no program writes.
_DAMAGED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)


def loads(content: bytes, max_elements: int = MAX_CONTAINERS) -> Any:
    """Return the value of a pickle that holds only arrays and plain values.

    Paths become text, and the numbers of ruamel.yaml floats. Lists, dictionaries, sets and arrays of objects
    may have as many elements in all as ``max_elements`` says; numbers in arrays do not count.

    Raises
    ------
    UnsafeContentError
        The pickle names anything else, or unfolds into more than any real one; the error says what.
    FormatError
        The pickle is damaged.
    """
    machine = Machine(content, max_elements)
    try:
        _run(machine)
        # In a list, as what is no container by itself is looked at as part of one.
        value = _result(machine)
        extent.check([value], max_elements)
    except FormatError:
        raise
    except _DAMAGED as error:
        raise damaged("a sequence of operations that no program writes, or not all of one") from error
    return value


def _run(machine: Machine) -> None:
    content = machine.content
    for _ in range(MAX_OPERATIONS):
        # Behind the end this is an IndexError, which `loads` turns into a damaged pickle.
        code = content[machine.position]
        machine.position += 1
        OPERATIONS[code](machine)
        if machine.has_stopped:
            return
    raise too_large("more operations", f"{MAX_OPERATIONS:,} operations")


def _result(machine: Machine) -> Any:
    if len(machine.stack) != 1 or machine.marks or machine.num_drafts:
        raise damaged("values that belong to nothing")
    return machine.stack[0]
