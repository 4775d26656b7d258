"""That a store belongs to a database: what the table ``Store`` says, and the file in the store."""

from __future__ import annotations

import getpass
import socket
import uuid
from datetime import UTC, datetime
from pathlib import Path

import datajoint as dj

from imaging_pipeline import names
from imaging_pipeline.config.stores import PIPELINE_STORE
from imaging_pipeline.errors import StoreError
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.plain_rows import Row, fetch
from imaging_pipeline.schemas.tables import Tables, schema_name
from imaging_pipeline.store.errors import is_away
from imaging_pipeline.store.owner import Owner, owner_file, read_owner, write_owner

CLAIM = "imaging-pipeline store claim"
_IF_IT_IS = f"If the arrays are those of this database, run: {CLAIM}"
_KEY = {"store_name": PIPELINE_STORE}

# What a copy of a database on another server does not have; of PostgreSQL also what a copy beside it has not.
_SERVER = {
    "postgresql": "SELECT 'system', CONCAT(system_identifier, ' ', (SELECT oid FROM pg_database"
    " WHERE datname = current_database())) FROM pg_control_system()",
    "mysql": "SHOW GLOBAL VARIABLES WHERE variable_name IN"
    " ('server_uuid', 'server_uid', 'hostname', 'port', 'datadir')",
}
# The first of them that a server has names it: MySQL, newer and older MariaDB.
_SERVER_NAMES = ("system", "server_uuid", "server_uid", "hostname")


def store_folder() -> Path:
    """Return the folder of the store.

    Raises
    ------
    StoreError
        It is no folder, or is not there on this machine.
    """
    spec = dj.config.get_store_spec(PIPELINE_STORE)
    if spec["protocol"] != "file":
        raise StoreError(
            "Only a store that is a folder can be swept",
            found=spec["protocol"],
            remedy="Set a lifecycle rule on the bucket, or sweep from a machine that mounts it.",
        )
    if is_away(spec):
        raise StoreError(
            f"The store {PIPELINE_STORE!r} is no folder on this machine",
            path=Path(spec["location"]),
            remedy=f"Mount its share, or correct stores.{PIPELINE_STORE}.location in the configuration.",
        )
    return Path(spec["location"])


def own_store(tables: Tables) -> Path:
    """Return the folder of the store, which belongs to this database.

    Raises
    ------
    StoreError
        It is no folder, is not there, or belongs to another database or to a newer state of this one.
    """
    root = store_folder()
    check_owner(tables, root)
    return root


def owner_of(tables: Tables, root: Path) -> Owner | None:
    """Return whose the arrays are that this database's programs write; None where nothing says so.

    Raises
    ------
    StoreError
        What says so is damaged.
    """
    return read_owner(root, schema_name(tables.config, "imaging"))


def is_unclaimed(tables: Tables, root: Path) -> bool:
    """Return True if the database has no store yet, and the store no database."""
    return not (tables.imaging.Store & _KEY) and owner_of(tables, root) is None


def claim(tables: Tables, root: Path) -> Owner:
    """Let the store belong to this database, from now on to no other; it gets a new identity."""
    owner = _owner(tables, uuid.uuid4().hex, 1)
    with in_transaction(tables.connection):
        (tables.imaging.Store & _KEY).delete_quick()
        tables.imaging.Store.insert1(
            {
                **_KEY,
                "store_identity": owner.identity,
                "store_state": owner.state,
                "store_server": _server(tables),
            }
        )
        # Before the row is committed: a file without a row says more than a row without a file.
        write_owner(root, schema_name(tables.config, "imaging"), owner)
    return owner


def renew(tables: Tables, root: Path) -> None:
    """Note in both that the store was changed, so that an older copy of the database is told by it."""
    row = _row(tables)
    assert row is not None
    state = row["store_state"] + 1
    # The database first: one that is ahead of its store is in order, the other way round it is refused.
    tables.imaging.Store.update1({**_KEY, "store_state": state})
    write_owner(root, schema_name(tables.config, "imaging"), _owner(tables, row["store_identity"], state))


def check_owner(tables: Tables, root: Path) -> None:
    """Raise StoreError unless the store belongs to this database, and the database is as new as the store.

    Raises
    ------
    StoreError
        The store belongs to another database, or to a newer state of this one.
    """
    owner, row = owner_of(tables, root), _row(tables)
    path = owner_file(root, schema_name(tables.config, "imaging"))
    if owner is None or row is None or owner.identity != row["store_identity"]:
        raise StoreError(
            "The store belongs to another database"
            if owner is not None
            else "Nothing says that the store belongs to this database",
            path=path,
            found="no such file" if owner is None else _told(owner),
            allowed="the identity in the table Store" if row is not None else None,
            remedy="Give this database a store or a custom.database.prefix of its own, in all its"
            f" configurations. {_IF_IT_IS}",
        )
    if row["store_server"] != _server(tables):
        raise StoreError(
            "The database was copied or moved from another server, and the store belongs to the one there",
            path=path,
            found=_told(owner),
            remedy="Give a copy a store of its own, in all its configurations. If the database has moved and"
            f" the other is used no more, run: {CLAIM}",
        )
    if owner.state > row["store_state"]:
        raise StoreError(
            "The database is older than its store: it was restored from a backup",
            path=path,
            found=f"state {row['store_state']} in the database, {_told(owner)}",
            allowed=f"at least state {owner.state} in the database",
            remedy="Restore a newer backup. If there is none, register again what is missing; then run:"
            f" {CLAIM}",
        )


def _told(owner: Owner) -> str:
    return f"state {owner.state} of {owner.database}, written {owner.written} UTC by {owner.written_by}"


def _row(tables: Tables) -> Row | None:
    rows = (tables.imaging.Store & _KEY).to_dicts()
    return rows[0] if rows else None


def _owner(tables: Tables, identity: str, state: int) -> Owner:
    config = tables.config
    where = config.embedded_folder if config.embedded_folder is not None else config.host
    return Owner(
        identity=identity,
        state=state,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        written_by=f"{getpass.getuser()} on {socket.gethostname()}",
        database=f"{schema_name(config, 'imaging')} on {where}",
    )


def _server(tables: Tables) -> str:
    """Return a hash of what tells this server, and on PostgreSQL the database in it, from others."""
    found = dict(fetch(tables.connection, _SERVER[tables.connection.adapter.backend]))
    name = next(found[each] for each in _SERVER_NAMES if found.get(each))
    # Several servers may run on one machine.
    return names.hash16(name, found.get("port", ""), found.get("datadir", ""))
