"""Whether an animal is stored as it is told: held against each other as JSON, which is seldom read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

from imaging_pipeline.colony.animal import COLUMNS, GENOTYPE, Values

_NUM_REMEMBERED = 2000
# As both servers write it.
_as_json = json.JSONEncoder(ensure_ascii=False).encode


class Fields:
    """Which fields are told of an animal.

    Parameters
    ----------
    number
        One of their own for each set of fields.
    names
        Columns, and ``genotype:<gene>``.
    """

    def __init__(self, number: int, names: Sequence[str]) -> None:
        self.number = number
        self._columns = tuple(name for name in COLUMNS if name in names)
        self._places = tuple(COLUMNS.index(name) for name in self._columns)
        self._genes = tuple(name for name in names if name.startswith(GENOTYPE))

    def columns_of(self, values: Values) -> str:
        """Return what is told of the columns, as a list."""
        return _as_json([values[name] for name in self._columns])

    def genes_of(self, values: Values) -> str:
        """Return what is told of genes, as an object."""
        if not self._genes:
            return "{}"
        return _as_json({name.removeprefix(GENOTYPE): values[name] for name in self._genes})

    def values(self, columns: str, *genes: str) -> dict[str, str | None]:
        """Return the values of which these are the columns and, one over the other, the genes."""
        values = dict(zip(self._columns, json.loads(columns), strict=True))
        values.update((f"{GENOTYPE}{gene}", text) for gene, text in _together(genes).items())
        return values

    def are_columns_stored(self, columns: str, stored: str) -> bool:
        """Return True if the columns are as those of the tables, which are a list of all columns."""
        if columns == stored:
            return True
        told: list[str | None] = json.loads(columns)
        every: list[str | None] = json.loads(stored)
        return told == [every[place] or None for place in self._places]


# A colony has few genotypes, many times.
@lru_cache(_NUM_REMEMBERED)
def are_genes_stored(stored: str, has_all_genes: bool, *told: str) -> bool:
    """Return True if genes are as those of the tables: all of them, or else those that are told."""
    known: dict[str, str] = json.loads(stored)
    genes = _together(told)
    if has_all_genes:
        return {gene: text for gene, text in genes.items() if text is not None} == known
    return all(known.get(gene) == text for gene, text in genes.items())


def _together(genes: Sequence[str]) -> dict[str, str | None]:
    return {gene: text for each in genes for gene, text in json.loads(each).items()}
