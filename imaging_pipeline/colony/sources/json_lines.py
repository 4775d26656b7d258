"""Animals from a file of JSON lines: an object for each animal, in a line of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self

from imaging_pipeline import strict_json
from imaging_pipeline.colony.animal import GENOTYPE
from imaging_pipeline.colony.columns import is_column, plain
from imaging_pipeline.colony.record import Record, RowProblem, shown
from imaging_pipeline.colony.sources.contract import Reading, Setting, Source
from imaging_pipeline.colony.sources.files import OF_FILES, arguments, own_names, read_whole
from imaging_pipeline.colony.translation import Columns, Translation
from imaging_pipeline.errors import FormatError, InputError, near, with_alike
from imaging_pipeline.secret import Secret

_GENOTYPES = "genotypes"


@dataclass(frozen=True)
class JsonLines(Source):
    """A file of JSON lines.

    What an object has no key for is not known of that animal; null is nothing. Genotypes may be an
    object of their own, ``{"genotypes": {"Cre": "het"}}``.

    Attributes
    ----------
    path, columns, translation, datasource_id, encoding, must_be_settled
        As of `CsvFile`.
    """

    path: Path
    columns: Columns | None = None
    translation: Translation = Translation()
    datasource_id: int | None = None
    encoding: str = "utf-8"
    must_be_settled: bool = False

    kind: ClassVar[str] = "jsonl"
    own_settings: ClassVar[tuple[Setting, ...]] = OF_FILES

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], password: Secret) -> Self:
        """Make a source of its settings."""
        return cls(**arguments(settings))

    @property
    def name(self) -> str:
        """Kind and place."""
        return f"jsonl {self.path}"

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
        """Give what an object says, by columns of ours."""
        if self.columns is not None:
            yield from ((ours, given.get(theirs)) for ours, theirs in self.columns.items())
            return
        taken = own_names(with_datasource=self.datasource_id is None)
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
