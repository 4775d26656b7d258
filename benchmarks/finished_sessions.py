"""Any number of finished sessions: one is made as a laboratory makes it, the others are its copies."""

from __future__ import annotations

import pkgutil
from pathlib import Path
from typing import Any

from imaging_pipeline.config.config import Config

# A row with such a column belongs to one session.
_HASHES = frozenset({"metasession_name", "session_name", "dataset_name"})
_NUMBERS = frozenset({"basefolder_id"})

# In the middle of the names of copies, which have the length and the digits of other names.
_MARK = "c0ffee"

_DIGITS = " UNION ALL ".join(f"SELECT {digit} AS digit" for digit in range(10))
_REQUESTS_PER_COPY = 100
"""Numbers that are reserved for the requests of one session."""


def make_finished_session(config: Config, folder: Path) -> Any:
    """Register a recording and finish it, with a run of Suite2p; return the connection."""
    from imaging_pipeline.lanes import LANES
    from imaging_pipeline.schemas import imaging, tables
    from imaging_pipeline.schemas.administer.administration import add_options
    from tests.makers.lab import emptied_lab
    from tests.makers.recordings import Recording, write_outputs, write_recording

    folder.mkdir()
    lab = emptied_lab(config, folder)
    add_options(tables.default_tables(), "fast", {})
    recording = Recording("90218-openfield", ((12,),))
    write_recording(lab.share / "day1", recording)
    request = lab.request(lab.share / "day1", combined=False) | {"ops_name": "fast"}
    imaging.BaseFolder.insert1(request)
    imaging.MakeDatasetSessions.populate(reserve_jobs=True)
    write_outputs(lab, recording, num_rois=1)
    imaging.BaseFolder.insert1(request)
    for name in (name for lane in LANES for name in lane.tables):
        pkgutil.resolve_name(name).populate(reserve_jobs=True)
    return lab.connection


def copy_session(connection: Any, first: int, last: int) -> None:
    """Copy all rows of the session, those of its jobs too, for each number from ``first`` to ``last``."""
    from tests.makers.lab import table_names

    is_postgresql = connection.adapter.backend == "postgresql"
    switch = "session_replication_role = {}" if is_postgresql else "FOREIGN_KEY_CHECKS = {}"
    connection.query(f"SET {switch.format('replica' if is_postgresql else 0)}")
    for table in table_names(connection):
        columns = _columns(connection, table)
        if not (_HASHES | _NUMBERS).isdisjoint(columns):
            _copy_rows(connection, table, columns, first, last)
            connection.query(f"ANALYZE {'' if is_postgresql else 'TABLE '}{table}")
    connection.query(f"SET {switch.format('DEFAULT' if is_postgresql else 1)}")


def is_copy(column: str) -> str:
    """Return the SQL condition that a MetaSession, session or dataset is a copy, by its name."""
    return f"POSITION('{_MARK}' IN {column}) > 0"


def assign_folders(connection: Any) -> None:
    """Assign each copy a folder of its own, and the same one to its requests."""
    from imaging_pipeline.schemas import imaging

    connection.query(
        f"UPDATE {imaging.MetaSession.full_table_name}"
        " SET metasession_folder = CONCAT('day', CAST(RIGHT(metasession_name, 5) AS DECIMAL(5)))"
        f" WHERE {is_copy('metasession_name')}"
    )
    connection.query(
        f"UPDATE {imaging.BaseFolder.full_table_name} SET folder ="
        " CONCAT('day', CAST((basefolder_id - MOD(basefolder_id, 100)) / 100 AS DECIMAL(5)))"
        " WHERE basefolder_id >= 100"
    )


def _columns(connection: Any, table: str) -> list[str]:
    return [column[0] for column in connection.query(f"SELECT * FROM {table} WHERE 1 = 0").description]


def _copy_rows(connection: Any, table: str, columns: list[str], first: int, last: int) -> None:
    quoted = {column: connection.adapter.quote_identifier(column) for column in columns}
    values = [_copied(column, name) for column, name in quoted.items()]
    conditions = [_is_original(column, name) for column, name in quoted.items()]
    connection.query(
        f"INSERT INTO {table} ({', '.join(quoted.values())}) SELECT {', '.join(values)}"
        f" FROM {table} AS made, ({_numbers(first, last)}) AS copies"
        f" WHERE {' AND '.join(filter(None, conditions))}"
    )


def _copied(column: str, name: str) -> str:
    if column in _HASHES:
        return f"CONCAT(LEFT({name}, 5), '{_MARK}', LPAD(CAST(copy_number AS CHAR(5)), 5, '0'))"
    return f"{name} + {_REQUESTS_PER_COPY} * copy_number" if column in _NUMBERS else name


def _is_original(column: str, name: str) -> str:
    if column in _HASHES:
        return f"NOT {is_copy(name)}"
    return f"{name} < {_REQUESTS_PER_COPY}" if column in _NUMBERS else ""


def _numbers(first: int, last: int) -> str:
    """Return a query of the whole numbers in a range below 100,000."""
    powers = range(5)
    number = " + ".join(f"{10**power} * d{power}.digit" for power in powers)
    digits = ", ".join(f"({_DIGITS}) AS d{power}" for power in powers)
    return f"SELECT {number} AS copy_number FROM {digits} WHERE {number} BETWEEN {first} AND {last}"
