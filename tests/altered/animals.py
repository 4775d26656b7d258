"""Cases of a colony's rows: written into a file of each kind, changed, and read."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from imaging_pipeline.colony.animal import Animal
from imaging_pipeline.colony.reading import Problems
from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sources.json_lines import JsonLines
from tests.altered.cases import SAME, TOLD, Outcome, Subject, judge_error
from tests.makers.colony_sources import read_all
from tests.makers.folders import COPIED

Cells = dict[str, Any]
_CHANGED = 0.9
_VALUES: Mapping[str, Sequence[str]] = {
    "animal_name": ("90218", "Bjørn", "no 7"),
    "animal_sex": ("male", "female", "unknown"),
    "animal_dob": ("2026-01-31", "2025-12-02"),
    "color": ("black", "white", "agouti"),
    "strain": ("Ai95", "Ångström-Cre", "C57BL/6J"),
    "litter": ("L1", "L20"),
    "genotype:Cre": ("het", "hom", "wt"),
}


@dataclass
class Rows:
    """Rows as they are to be written.

    Attributes
    ----------
    written
        What was written of each animal, by its identifier.
    cells
        The rows, of which each holds all columns.
    dropped
        Animals that are not in the file any more, of which nothing can be told.
    """

    written: dict[str, Cells]
    cells: list[Cells]
    dropped: set[str]


Mishap = Callable[[Random, Rows], str]
Damage = Callable[[Random, bytes], tuple[str, bytes]]


def _draw(random: Random) -> Rows:
    columns = random.sample(sorted(_VALUES), random.randint(2, len(_VALUES)))
    numbers = random.sample(range(1000, 99_999), random.randint(3, 8))
    rows: list[Cells] = [
        {"animal_id": str(number)}
        | {column: random.choice(_VALUES[column]) if random.random() < 0.8 else "" for column in columns}
        for number in numbers
    ]
    return Rows({str(row["animal_id"]): dict(row) for row in rows}, rows, set())


def _drop_row(random: Random, rows: Rows) -> str:
    rows.dropped.add(rows.cells.pop(random.randrange(len(rows.cells)))["animal_id"])
    return "drop a row"


def _repeat_row(random: Random, rows: Rows) -> str:
    rows.cells.insert(random.randrange(len(rows.cells)), dict(random.choice(rows.cells)))
    return "write a row twice"


def _repeat_row_changed(random: Random, rows: Rows) -> str:
    row = dict(random.choice(rows.cells))
    column = random.choice([name for name in row if name != "animal_id"])
    row[column] = random.choice([value for value in _VALUES[column] if value != row[column]])
    rows.cells.insert(random.randrange(len(rows.cells) + 1), row)
    return "write a row again with another value"


def _reorder_rows(random: Random, rows: Rows) -> str:
    random.shuffle(rows.cells)
    return "reorder the rows"


def _reorder_columns(random: Random, rows: Rows) -> str:
    names = list(rows.cells[0])
    random.shuffle(names)
    rows.cells = [{name: row[name] for name in names} for row in rows.cells]
    return "reorder the columns"


def _drop_column(random: Random, rows: Rows) -> str:
    name = random.choice(list(rows.cells[0]))
    rows.cells = [{other: value for other, value in row.items() if other != name} for row in rows.cells]
    for row in rows.written.values():
        row.pop(name, None)
    return f"drop the column {name}"


def _float_identifiers(random: Random, rows: Rows) -> str:
    """Write identifiers as pandas does where the column has a gap."""
    for row in rows.cells:
        row["animal_id"] = float(row["animal_id"])
    return "write identifiers as floats"


def _odd_identifier(random: Random, rows: Rows) -> str:
    row = random.choice(rows.cells)
    value = random.choice((float("nan"), 1e400, 4711.5, "", " ", "nan"))
    rows.dropped.add(row["animal_id"])
    row["animal_id"] = value
    return f"write {value!r} as an identifier"


def _spaces(random: Random, rows: Rows) -> str:
    for row in rows.cells:
        name = random.choice(list(row))
        row[name] = f" {row[name]}\t"
    return "put blanks around cells"


def _write_dates_otherwise(random: Random, rows: Rows) -> str:
    how = random.choice(("{2}.{1}.{0}", "{1}/{2}/{0}", "{0}-{1}-{2} 00:00:00", "{0}{1}{2}"))
    for row in rows.cells:
        if row.get("animal_dob"):
            row["animal_dob"] = how.format(*row["animal_dob"].split("-"))
    return f"write days as {how.format('year', 'month', 'day')}"


_MISHAPS: Sequence[Mishap] = (
    _drop_row,
    _repeat_row,
    _repeat_row_changed,
    _reorder_rows,
    _reorder_columns,
    _drop_column,
    _float_identifiers,
    _odd_identifier,
    _spaces,
    _write_dates_otherwise,
)


def _truncate(random: Random, content: bytes) -> tuple[str, bytes]:
    return "cut the end off", content[: random.randrange(len(content))]


def _append(random: Random, content: bytes) -> tuple[str, bytes]:
    return "append bytes", content + random.choice((random.randbytes(40), b"\0" * 50, b"\n\n", b"x"))


def _zero(random: Random, content: bytes) -> tuple[str, bytes]:
    start = random.randrange(len(content))
    end = min(start + random.randint(1, 40), len(content))
    return "zero a block", content[:start] + bytes(end - start) + content[end:]


def _other_encoding(random: Random, content: bytes) -> tuple[str, bytes]:
    name = random.choice(("latin-1", "utf-16", "utf-8-sig", "mac-roman"))
    return f"save as {name}", content.decode().encode(name)


def _other_line_ends(random: Random, content: bytes) -> tuple[str, bytes]:
    return "save with other line ends", content.replace(b"\r\n", b"\n").replace(
        b"\n", random.choice((b"\r", b"\r\n"))
    )


def _lose_separator(random: Random, content: bytes) -> tuple[str, bytes]:
    """Lose what separates rows or cells.

    A delimiter of a CSV file is left: a row with fewer cells may end in empty ones, as Excel saves it.
    """
    separators = b',\n"{}:' if content.startswith(b"{") else b'\n"'
    at = random.choice([index for index, byte in enumerate(content) if byte in separators])
    return "lose a separator", content[:at] + content[at + 1 :]


def _drop_first_line(random: Random, content: bytes) -> tuple[str, bytes]:
    return "lose the first line", content.partition(b"\n")[2]


_DAMAGES: Sequence[Damage] = (
    _truncate,
    _append,
    _zero,
    _other_encoding,
    _other_line_ends,
    _lose_separator,
    _drop_first_line,
)


def _csv(rows: Rows) -> bytes:
    file = io.StringIO(newline="")
    columns = list(rows.cells[0])
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows.cells)
    return file.getvalue().encode()


def _json_lines(rows: Rows) -> bytes:
    lines = ({name: value if value != "" else None for name, value in row.items()} for row in rows.cells)
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines).encode()


_KINDS: Mapping[str, tuple[Callable[[Rows], bytes], Callable[..., Any]]] = {
    "csv": (_csv, CsvFile),
    "jsonl": (_json_lines, JsonLines),
}


def run(random: Random, folder: Path, kind: str) -> Outcome:
    """Write animals, change what is written, read it, and judge the animals."""
    write, source = _KINDS[kind]
    rows = _draw(random)
    words: tuple[str, ...] = ()
    if random.random() < _CHANGED:
        words = (random.choice(_MISHAPS)(random, rows),) if random.random() < 0.5 else ()
        content = write(rows)
        if not words:
            what, content = random.choice(_DAMAGES)(random, content)
            words = (what,)
    else:
        content = write(rows)
    path = folder / f"animals.{kind}"
    path.write_bytes(content)
    os.utime(path, (COPIED.timestamp(), COPIED.timestamp()))
    try:
        # As an export that is read by itself: a file that a person gives may end without a line's end.
        animals, problems = read_all(source(path, must_be_settled=True))
    except Exception as error:
        return judge_error(error, words, (path.name,), folder)
    found = list(_differences(rows, animals, problems, words))
    if not found and not problems.num_rows:
        return Outcome(SAME, words)
    details = "; ".join(f"{each.row}: {each.what}, {each.found}" for each in problems.recorded)
    if not words and problems.num_rows:
        return Outcome("a row of an unchanged file is refused", words, details)
    return Outcome("; ".join(found) or TOLD, words, details)


def _differences(
    rows: Rows, animals: Sequence[Animal], problems: Problems, words: Sequence[str]
) -> Iterator[str]:
    read = {animal.key.animal_id: animal for animal in animals}
    if len(read) < len(animals):
        yield "an animal is there twice"
    if read.keys() - rows.written.keys():
        yield "an animal that was never written"
    # What a file says no more, nobody can know; rows that are lost within it are told of.
    is_cut = bool({"cut the end off", "lose the first line"} & set(words))
    missing = rows.written.keys() - read.keys() - rows.dropped
    if missing and not problems.num_rows and not is_cut:
        yield "an animal is missing"
    for animal_id, animal in read.items():
        written = rows.written.get(animal_id, {})
        for column, value in written.items():
            told = animal.values.get(column)
            if column != "animal_id" and told != (value or _default(column, animal_id)):
                yield f"{column} is another one"
                return


def _default(column: str, animal_id: str) -> str | None:
    return {"animal_name": animal_id, "animal_sex": "unknown"}.get(column)


ANIMALS = tuple(Subject(f"animals in {kind}", partial(run, kind=kind)) for kind in _KINDS)
