"""Declaring and connecting."""

from __future__ import annotations

from imaging_pipeline import database
from imaging_pipeline.schemas import imaging
from tests.makers.lab import Lab


def test_connecting_to_declared_schemas_binds_the_tables(lab: Lab) -> None:
    database.connect(lab.config)
    assert imaging.User.fetch1("username") == "anna"
