"""What copying and crashes do to the bytes of files that are written."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

from tests.altered.mishaps import Mishap
from tests.altered.recordings import Written

_LARGEST_BLOCK = 700

Damage = Callable[[Random, Written, Path], Mishap | None]
"""Changes files in a folder; None where there is nothing that this can be done to."""


def truncate(random: Random, written: Written, folder: Path) -> Mishap | None:
    name, size = _any_file(random, written, folder)
    os.truncate(folder / name, random.randrange(size))
    return Mishap("cut a file's end off", (name,))


def append_bytes(random: Random, written: Written, folder: Path) -> Mishap:
    name, _ = _any_file(random, written, folder)
    with (folder / name).open("ab") as file:
        file.write(random.choice((bytes(1), bytes(512), random.randbytes(300), random.randbytes(3000))))
    return Mishap("append bytes to a file", (name,))


def append_file(random: Random, written: Written, folder: Path) -> Mishap | None:
    """Append another file, as ``copy /b`` does."""
    name, _ = _any_file(random, written, folder)
    other = random.choice(written.names)
    with (folder / name).open("ab") as file:
        file.write((folder / other).read_bytes())
    return Mishap("append a file to a file", (name,))


def zero_block(random: Random, written: Written, folder: Path) -> Mishap:
    name, size = _any_file(random, written, folder)
    start = random.randrange(size)
    num_bytes = min(random.randint(1, _LARGEST_BLOCK), size - start)
    with (folder / name).open("rb+") as file:
        file.seek(start)
        file.write(bytes(num_bytes))
    return Mishap("zero a block", (name,))


def zero_end(random: Random, written: Written, folder: Path) -> Mishap:
    """Zero all bytes behind one, as it is when a copy broke off in a place that was reserved for it."""
    name, size = _any_file(random, written, folder)
    num_bytes = random.randrange(size)
    os.truncate(folder / name, num_bytes)
    os.truncate(folder / name, size)
    return Mishap("zero a file's end", (name,))


def change_times(random: Random, written: Written, folder: Path) -> Mishap:
    """Give files other times, as copying does; their contents stay."""
    for name in written.names:
        if random.random() < 0.5:
            written.modified[name] += timedelta(days=random.choice((-4000, -1, 1)), seconds=random.random())
    return Mishap("change the files' times")


DAMAGES: Sequence[Damage] = (truncate, append_bytes, append_file, zero_block, zero_end, change_times)


def _any_file(random: Random, written: Written, folder: Path) -> tuple[str, int]:
    """Return a file that is not empty, and its size."""
    sizes = {name: (folder / name).stat().st_size for name in written.names}
    name = random.choice([name for name, size in sizes.items() if size])
    return name, sizes[name]
