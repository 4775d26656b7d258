"""The tables' definitions as they stand in the code, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from imaging_pipeline import database
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs

ARRAYS = "<blob>|<npy@main>|<trace>"


@dataclass(frozen=True)
class Column:
    """A line of a definition that names a column."""

    table: str
    name: str
    default: str
    type: str
    comment: str

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"


def tables() -> list[Any]:
    """Return every table class, parts too."""
    return [
        table
        for module in (mlims, imaging, suite2p_jobs)
        for cls in database.table_classes(module)
        for table in (cls, *database.parts(cls))
    ]


def columns() -> list[Column]:
    return [column for table in tables() for column in columns_of(table)]


def columns_of(table: Any) -> list[Column]:
    found = []
    for line in map(str.strip, table.definition.splitlines()):
        if not line or line.startswith(("->", "---", "INDEX", "#")):
            continue
        declared, _, comment = line.partition("#")
        name, _, type_ = declared.partition(":")
        name, _, default = name.partition("=")
        parts = (name, default, type_, comment)
        found.append(Column(table.__qualname__, *(part.strip() for part in parts)))
    return found
