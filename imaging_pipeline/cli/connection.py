"""The configuration and the database of a command."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from imaging_pipeline import database
from imaging_pipeline.cli import Invocation
from imaging_pipeline.config.config import Config, find_config, load_config
from imaging_pipeline.schemas import tables
from imaging_pipeline.server.connection_errors import database_errors


def configured() -> Config:
    """Return the configuration that the command line names, or the one that is found."""
    # DataJoint's own handler logs to standard output. Its warnings are still printed, among the errors.
    logging.getLogger("datajoint").handlers.clear()
    invocation = click.get_current_context().find_object(Invocation)
    path = None if invocation is None else invocation.config
    return find_config() if path is None else load_config(path)


@contextmanager
def connected() -> Iterator[tables.Tables]:
    """Connect, and yield the tables.

    Raises
    ------
    ConfigError
        The configuration is not there, or wrong.
    DatabaseError, SchemaError
        The server does not answer or refuses, or its tables are of another version.
    """
    config = configured()
    with database_errors(config):
        database.connect(config)
        yield tables.default_tables()
