"""Kinds of changes of tables, one a module; a step lists the changes of one version."""

from imaging_pipeline.upgrade.changes.added_column import AddedColumn as AddedColumn
from imaging_pipeline.upgrade.changes.added_reference import AddedReference as AddedReference
from imaging_pipeline.upgrade.changes.change import Change as Change
from imaging_pipeline.upgrade.changes.changed_column import ChangedColumn as ChangedColumn
from imaging_pipeline.upgrade.changes.changed_value import ChangedValue as ChangedValue
