"""Animals from a file of JSON lines: an object for each animal, in a line of its own."""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from imaging_pipeline import strict_json
from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.colony.sources.columns import GENOTYPE, is_column, normalised
from imaging_pipeline.colony.sources.contract import Snapshot
from imaging_pipeline.colony.sources.files import FileSource, as_text, read_whole
from imaging_pipeline.colony.sources.record import Record, RowProblem, shown
from imaging_pipeline.errors import FormatError, InputError
from imaging_pipeline.whole_numbers import without_point

_GENOTYPES = "genotypes"


@dataclass(frozen=True)
class JsonLines(FileSource):
    """A file of JSON lines.

    A column that an object has no key for stays as it is; null is nothing. Genotypes may be an object of
    their own, ``{"genotypes": {"Cre": "het"}}``.
    """

    kind: ClassVar[str] = "jsonl"

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open the file.

        Raises
        ------
        NothingFoundError, StillCopyingError, ColonyError
            It cannot be read, or is being written.
        FormatError
            It ends within a line, or is no text in its encoding.
        InputError
            A key is unknown.
        """
        with (
            read_whole(self.path, must_be_settled=self.must_be_settled) as file,
            closing(self._records(file)) as records,
        ):
            yield Snapshot(records)

    def _records(self, file: BinaryIO) -> Generator[Record | RowProblem, None, None]:
        with as_text(file, self.encoding, newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                # The file may begin with a byte-order mark, as Windows programs write it.
                text = line.strip("\ufeff \t\r\n")
                if not text:
                    continue
                record = self._record(str(number), text)
                # Only the last line may lack its end: one that cannot be read then was cut short.
                if isinstance(record, RowProblem) and not line.endswith("\n"):
                    raise _cut_short(record)
                yield record

    def _record(self, row: str, text: str) -> Record | RowProblem:
        try:
            content = strict_json.loads(text)
        except ValueError as error:
            return RowProblem(row, "", "The row is no JSON", shown(text), str(error))
        if not isinstance(content, dict):
            return RowProblem(row, "", "The row is no JSON object", shown(text), '{"animal_id": …}')
        cells: dict[str, str | None] = {}
        for column, value in self._by_column(content):
            try:
                cells[column] = _text(value)
            except (TypeError, ValueError) as error:
                what, animal_id = f"{column} cannot be taken", shown(cells.get("animal_id") or "")
                return RowProblem(row, animal_id, what, _json(value), str(error))
        return Record(row, {"animal_id": None, **cells})

    def _by_column(self, content: Mapping[str, object]) -> Iterator[tuple[str, object]]:
        """Yield the values of an object with their columns."""
        if self.columns is not None:
            yield from ((column, content.get(name)) for column, name in self.columns.items())
            return
        names = self.column_names
        for name, value in content.items():
            if name == _GENOTYPES and isinstance(value, dict):
                yield from ((f"{GENOTYPE}{gene.strip()}", genotype) for gene, genotype in value.items())
            elif name in names or is_column(name):
                yield normalised(name), value
            else:
                raise InputError(
                    f"The file has a key that is not known: {name!r}",
                    found=with_alike(name, near(name, names)),
                    allowed=", ".join((*names, _GENOTYPES)),
                    remedy="correct or remove this key, or name the columns in the configuration.",
                )


def _cut_short(problem: RowProblem) -> FormatError:
    return FormatError(
        f"The file ends within line {problem.row}",
        found=problem.found,
        allowed="whole lines",
        remedy="have it written again.",
    )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    # A bool is an int in Python, but true is no value of any column.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("a text or a number")
    if isinstance(value, float):
        # NaN, Infinity, and numbers such as 1e400 that a float cannot hold.
        if not math.isfinite(value):
            raise ValueError("a text, or a number that a float can hold")
        return without_point(str(value))
    return str(value)


def _json(value: object) -> str:
    return shown(json.dumps(value))
