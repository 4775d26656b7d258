"""Suite2p option sets as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import datajoint as dj

from imaging_pipeline.errors import NothingFoundError
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.suite2p_runner.option_text import from_default
from imaging_pipeline.web.paging import Paged, paged


@dataclass(frozen=True)
class OptionSetRow:
    """An option set.

    Attributes
    ----------
    settings
        As Suite2p 1.x takes them.
    given
        As it was added.
    not_carried
        Option without effect → reason.
    content
        Hash of the settings: equal for sets with the same content.
    num_requests
        Requests for folders that name it.
    """

    name: str
    added: datetime
    settings: Mapping[str, Any]
    given: Mapping[str, Any]
    not_carried: Mapping[str, str]
    content: str
    num_requests: int

    @property
    def num_different(self) -> int:
        """Return how many settings differ from Suite2p's defaults."""
        return len(from_default(self.settings))


def option_sets(tables: Tables, number: int) -> Paged[OptionSetRow]:
    """Return a page of the option sets, the newest first."""
    order = ("suite2pyops_entry_time DESC", "ops_name")
    page = paged(tables.imaging.Suite2pyOps(), number, order_by=order)
    num_requests = _num_requests(tables, [row["ops_name"] for row in page.rows])
    return page.map(lambda row: _shown(row, num_requests))


def option_set(tables: Tables, name: str) -> OptionSetRow:
    """Return one option set.

    Raises
    ------
    NothingFoundError
        There is none of this name.
    """
    rows = (tables.imaging.Suite2pyOps & {"ops_name": name}).to_dicts()
    if not rows:
        raise NothingFoundError(
            "There is no such option set", found=name, remedy="Take one from the list of option sets."
        )
    return _shown(rows[0], _num_requests(tables, [name]))


def with_same_content(tables: Tables, shown: OptionSetRow) -> list[str]:
    """Return the names of other sets with the same content."""
    names = (tables.imaging.Suite2pyOps & {"ops_hash": shown.content}).to_arrays("ops_name")
    return sorted(name for name in map(str, names) if name != shown.name)


def names(tables: Tables) -> list[str]:
    """Return the names of all option sets."""
    return sorted(map(str, tables.imaging.Suite2pyOps().to_arrays("ops_name")))


def _num_requests(tables: Tables, names: Sequence[str]) -> dict[str, int]:
    requests = tables.imaging.BaseFolder & [{"ops_name": name} for name in names]
    counts = dj.U("ops_name").aggr(requests, num_requests="count(*)").to_dicts() if names else []
    return {row["ops_name"]: int(row["num_requests"]) for row in counts}


def _shown(row: Row, num_requests: Mapping[str, int]) -> OptionSetRow:
    return OptionSetRow(
        name=row["ops_name"],
        added=row["suite2pyops_entry_time"],
        settings=row["ops_settings"],
        given=row["ops"],
        not_carried=row["ops_not_carried"],
        content=row["ops_hash"],
        num_requests=num_requests.get(row["ops_name"], 0),
    )
