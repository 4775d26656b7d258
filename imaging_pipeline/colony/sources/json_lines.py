"""Animals from a file of JSON lines: an object for each animal, in a line of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from imaging_pipeline import strict_json
from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.colony.animal import GENOTYPE
from imaging_pipeline.colony.sources.columns import is_column, plain
from imaging_pipeline.colony.sources.contract import Reading
from imaging_pipeline.colony.sources.files import FileSource, read_whole
from imaging_pipeline.colony.sources.record import Record, RowProblem, shown
from imaging_pipeline.errors import FormatError, InputError

_GENOTYPES = "genotypes"


@dataclass(frozen=True)
class JsonLines(FileSource):
    """A file of JSON lines.

    What an object has no key for is not known of that animal; null is nothing. Genotypes may be an
    object of their own, ``{"genotypes": {"Cre": "het"}}``.
    """

    kind: ClassVar[str] = "jsonl"

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Look at the file.

        Raises
        ------
        NothingFoundError, StillCopyingError, ColonyError
            As of `read_whole`.
        FormatError
            It ends within a line.
        InputError
            A key is not known.
        """
        with read_whole(self.path, must_be_settled=self.must_be_settled) as file:
            yield Reading(self._records(file))

    def _records(self, file: BinaryIO) -> Iterator[Record | RowProblem]:
        problem: RowProblem | None = None
        for number, line in enumerate(file, start=1):
            if problem is not None:
                yield problem
            text = line.decode(self.encoding, "surrogateescape").strip("\ufeff \t\r\n")
            found = self._record(str(number), text) if text else None
            problem = found if isinstance(found, RowProblem) and not line.endswith(b"\n") else None
            if found is not None and problem is None:
                yield found
        if problem is not None:
            raise FormatError(
                f"The file ends within line {problem.row}",
                found=problem.found,
                allowed="whole lines",
                remedy="have it written again.",
            )

    def _record(self, row: str, text: str) -> Record | RowProblem:
        try:
            given = strict_json.loads(text)
        except (ValueError, RecursionError) as error:
            return RowProblem(row, "", "The row is no JSON", shown(text), str(error))
        if not isinstance(given, dict):
            return RowProblem(row, "", "The row is no JSON object", shown(text), '{"animal_id": …}')
        cells: dict[str, str | None] = {}
        for name, value in self._named(given):
            try:
                cells[name] = _text(value)
            except TypeError:
                what = f"{name} cannot be taken"
                return RowProblem(row, shown(cells.get("animal_id") or ""), what, _json(value), "a text")
        return Record(row, {"animal_id": None, **cells})

    def _named(self, given: Mapping[str, object]) -> Iterator[tuple[str, object]]:
        """Return what an object says, by columns of ours."""
        if self.columns is not None:
            yield from ((ours, given.get(theirs)) for ours, theirs in self.columns.items())
            return
        taken = self.own_names
        for name, value in given.items():
            if name == _GENOTYPES and isinstance(value, dict):
                yield from ((f"{GENOTYPE}{gene.strip()}", genotype) for gene, genotype in value.items())
            elif name in taken or is_column(name):
                yield plain(name), value
            else:
                raise InputError(
                    f"The file has a key that is not known: {name!r}",
                    found=with_alike(name, near(name, taken)),
                    allowed=", ".join((*taken, _GENOTYPES)),
                    remedy="correct or remove this key, or name the columns in the configuration.",
                )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return str(value)


def _json(value: object) -> str:
    return shown(json.dumps(value))
