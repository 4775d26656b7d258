"""Which keys a table has jobs for, where that is not all that it refers to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.tables import Tables


class KeySource:
    """The ``key_source`` of a table class: all that a table says of its keys beside its foreign keys.

    Parameters
    ----------
    query
        Takes the `Tables` of any connection, and returns the keys that there are jobs for, done or not.
    outer
        The same for keys of which ``query`` returns some, where a row may outlive its key among these; None
        where it cannot.
    also_needs
        Tables filled by workers, as ``imaging.Tif``, that a row is made from and that no foreign key names.
    """

    def __init__(
        self,
        query: Callable[[Tables], Any],
        *,
        outer: Callable[[Tables], Any] | None = None,
        also_needs: tuple[str, ...] = (),
    ) -> None:
        self.query = query
        self.outer = outer
        self.also_needs = also_needs

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Return the query on the connection of the table classes in code, as DataJoint expects it."""
        return self.query(tables.default_tables())


def declared_key_source(table_class: type) -> KeySource | None:
    """Return what a table class declares; None where its keys are those of its foreign keys."""
    # DataJoint's metaclass would evaluate the attribute.
    declared = inspect.getattr_static(table_class, "key_source")
    return declared if isinstance(declared, KeySource) else None


def data_of_types(handle: Tables, datasettypes: Iterable[str]) -> Any:
    """Return sessions' datasets of some types, as a query on ``Session.Data``."""
    types = [{"datasettype": datasettype} for datasettype in datasettypes]
    return handle.imaging.Session.Data() & (handle.imaging.Dataset() & types)
