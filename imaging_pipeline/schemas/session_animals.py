"""The animal of sessions: that of their MetaSession, kept in both so that each can be joined by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.tables import Tables


@contextmanager
def animals_stay_equal(tables: Tables) -> Iterator[None]:
    """Run the enclosed code in a transaction, which is rolled back where a session gets another animal.

    Raises
    ------
    InputError
        A session would have another animal than its MetaSession.
    """
    with in_transaction(tables.connection):
        yield
        _check(tables)


def _check(tables: Tables) -> None:
    # The rows may have been given in any form, even as a query, so that all sessions are looked at.
    sessions, metasessions = tables.imaging.Session, tables.imaging.MetaSession
    query = (
        "SELECT s.session_name, s.animal_id, s.datasource_id,"
        " s.metasession_name, m.animal_id, m.datasource_id"
        f" FROM {tables.full_name(sessions)} AS s JOIN {tables.full_name(metasessions)} AS m"
        " ON m.metasession_name = s.metasession_name"
        " WHERE s.animal_id <> m.animal_id OR s.datasource_id <> m.datasource_id LIMIT 1"
    )
    for session, animal, datasource, metasession, its_animal, its_datasource in plain_rows.fetch(
        tables.connection, query
    ):
        raise InputError(
            "A session and its MetaSession are of one animal, which is part of their names",
            found=f"session {session} of animal_id {animal}, datasource_id {datasource}, and MetaSession"
            f" {metasession} of animal_id {its_animal}, datasource_id {its_datasource}",
            remedy="leave the animal as it is. If it is the wrong one:"
            f" imaging-pipeline retire {metasession}, then register the folder again with the right animal.",
            field="animal_id",
        )
