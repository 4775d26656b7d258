"""Animals from a CSV file, as Excel or a colony system writes it.

Commas, semicolons or tabs between cells, any line ends, UTF-8 with or without a byte-order mark.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.colony.sources.columns import GENOTYPE, ColumnMap, is_column, normalised
from imaging_pipeline.colony.sources.contract import Snapshot
from imaging_pipeline.colony.sources.files import FileSource, as_text, read_whole
from imaging_pipeline.colony.sources.record import Record, RowProblem, is_utf8, shown
from imaging_pipeline.errors import FormatError, InputError

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class CsvFile(FileSource):
    """A CSV file, whose first row names the columns."""

    kind: ClassVar[str] = "csv"

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open the file.

        Raises
        ------
        NothingFoundError, StillCopyingError, ColonyError
            It cannot be read, or is being written.
        FormatError
            It is no CSV, or was cut short.
        InputError
            A column is unknown, there twice, or missing.
        """
        with (
            read_whole(self.path, must_be_settled=self.must_be_settled) as file,
            closing(_rows(file, self.encoding, must_be_whole=self.must_be_settled)) as rows,
        ):
            header = [name.strip() for name in next(rows, (0, []))[1]]
            yield Snapshot(_records(rows, self._indices(header), len(header)))

    def _indices(self, header: Sequence[str]) -> Mapping[str, int]:
        """Return the index of each column in a row."""
        _refuse_other_text(header)
        if self.columns is not None:
            return _mapped_indices(header, self.columns)
        names = self.column_names
        unknown = [name for name in header if name not in names and not is_column(name)]
        if unknown:
            raise InputError(
                f"The file has columns that are not known: {', '.join(map(repr, unknown))}",
                found=", ".join(with_alike(name, near(name, names)) for name in unknown),
                allowed=", ".join((*names, f"{GENOTYPE}<gene>")),
                remedy="correct or remove these columns.",
            )
        header = [normalised(name) for name in header]
        _refuse_repeated(header)
        if "animal_id" not in header:
            raise InputError(
                "The file has no column animal_id",
                found=", ".join(header) or "an empty file",
                remedy="name the columns in the first row.",
            )
        return {name: index for index, name in enumerate(header)}


def _rows(
    file: BinaryIO, encoding: str, *, must_be_whole: bool
) -> Generator[tuple[int, list[str]], None, None]:
    """Yield number and cells of each row that is not empty; bytes that are no text become lone surrogates."""
    number = 0
    try:
        # Line ends stay as they are, as `csv` needs it for those within quotes.
        with as_text(file, "utf-8-sig" if encoding == "utf-8" else encoding, newline="") as text:
            # By the header: in other rows, notes may hold any of them. Excel's depends on the country.
            delimiter = max(_DELIMITERS, key=text.readline().count)
            text.seek(0)
            lines = _whole(text) if must_be_whole else text
            for number, cells in enumerate(csv.reader(lines, delimiter=delimiter, strict=True), start=1):
                if any(map(str.strip, cells)):
                    yield number, cells
    except csv.Error as error:
        raise FormatError(
            f"The file is no CSV from row {number + 1} on",
            found=error,
            allowed="quotes in pairs",
            remedy="correct this row, or save the file as CSV again.",
        ) from error


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines, and raise at the end if the last one was cut short."""
    # A file without lines was not cut short.
    line = "\n"
    for line in lines:
        yield line
    if not line.endswith(("\n", "\r")):
        raise FormatError(
            "The file ends within a line, as one does that was not written to its end",
            found=shown(line),
            allowed="a line break after each line, also the last",
            remedy="have it written again.",
        )


def _refuse_other_text(header: Sequence[str]) -> None:
    if any(not is_utf8(name) or "\0" in name for name in header):
        raise FormatError(
            "The file is not UTF-8",
            found=shown(";".join(header)[:80]),
            remedy="save it as 'CSV UTF-8', or name its encoding in the configuration.",
        )


def _refuse_repeated(header: Sequence[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError("The file has a column twice", found=", ".join(twice), remedy="leave one of them.")


def _mapped_indices(header: Sequence[str], columns: ColumnMap) -> Mapping[str, int]:
    missing = [name for name in columns.values() if name not in header]
    if missing:
        raise InputError(
            f"The file lacks columns that the configuration names: {', '.join(map(repr, missing))}",
            found=", ".join(with_alike(name, near(name, header)) for name in missing),
            allowed=", ".join(header) or "an empty file",
            remedy="correct the columns of custom.mlims.source, or the file.",
        )
    _refuse_repeated([name for name in header if name in columns.values()])
    return {column: header.index(name) for column, name in columns.items()}


def _records(
    rows: Iterator[tuple[int, list[str]]], indices: Mapping[str, int], width: int
) -> Iterator[Record | RowProblem]:
    for number, cells in rows:
        # Excel leaves out the last delimiters of rows that end in empty cells.
        values = {column: cells[index] if index < len(cells) else None for column, index in indices.items()}
        if any(map(str.strip, cells[width:])):
            allowed = f"{width} cells, as in the header; quotes around text with a delimiter in it"
            what = "The row is longer than the header"
            animal_id = shown(values["animal_id"] or "")
            yield RowProblem(str(number), animal_id, what, f"{len(cells)} cells", allowed)
        else:
            yield Record(str(number), values)
