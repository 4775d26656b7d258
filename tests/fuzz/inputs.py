"""The inputs: each is made of a whole file, a reader, a seed and a number, and is always the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz import hdf5, hdf5_bytes, matlab, npy, pickle_opcodes, raw_bytes
from tests.makers.registered_readers import RegisteredReader

Mutation = Callable[[Random, bytes], bytes]

# Mutations of a format that understand it, in the order in which they are applied: those that need a file
# that is still whole come before those that damage it. Damage to any file comes last, and is all that is done
# to formats without mutations of their own.
_FORMATS: dict[str, tuple[tuple[Mutation, ...], ...]] = {
    "pickle": (pickle_opcodes.MUTATIONS,),
    "npy": (npy.CONTENT_MUTATIONS, npy.HEADER_MUTATIONS),
    "hdf5": (hdf5.MUTATIONS, hdf5_bytes.MUTATIONS),
    "matlab": (matlab.MUTATIONS,),
    "tiff": (),
    "text": (),
}
_SHARE_OF_RAW = 0.25
_COUNTS = (1, 1, 1, 1, 2, 2, 3, 5)


@dataclass(frozen=True)
class InputNumber:
    """Which input: ``only`` names those of its mutations that are applied, or is None for all of them."""

    seed: int
    number: int
    only: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Input:
    """A file that is put in the place of a whole one.

    Attributes
    ----------
    file
        Which, from the folder that holds what is read.
    content
        Its bytes.
    mutations
        What was done to it, in order.
    """

    file: Path
    content: bytes
    mutations: tuple[str, ...]


def make_input(reader: RegisteredReader, files: dict[Path, bytes], which: InputNumber) -> Input:
    """Return an input.

    Parameters
    ----------
    reader
        Whose format the mutations are of.
    files
        The whole files, from the folder that holds what is read.
    which
        Seed and number.
    """
    chosen = Random(f"{which.seed}/{reader.name}/{which.number}")
    file = chosen.choice(sorted(files))
    steps = _steps(chosen, _FORMATS[reader.format])
    content, names = files[file], []
    for number, mutation in enumerate(steps):
        if content and (which.only is None or number in which.only):
            content = mutation(Random(f"{which.seed}/{reader.name}/{which.number}/{number}"), content)
            names.append(mutation.__name__)
    return Input(file, content, tuple(names))


def _steps(random: Random, structural: tuple[tuple[Mutation, ...], ...]) -> list[Mutation]:
    stages = (*structural, raw_bytes.MUTATIONS)
    chosen = []
    for _ in range(random.choice(_COUNTS)):
        is_raw = random.random() < _SHARE_OF_RAW or not structural
        stage = len(stages) - 1 if is_raw else random.randrange(len(stages) - 1)
        chosen.append((stage, random.randrange(len(stages[stage]))))
    return [stages[stage][index] for stage, index in sorted(chosen, key=lambda step: step[0])]
