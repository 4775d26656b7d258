"""What administrators do: people, places, setups, microscopes, apparatus, the colony, and all changes."""

from __future__ import annotations

from imaging_pipeline.web.page import Page

from . import apparatus, changes, colony, repositories, scopes, setups, users
from .subjects import blueprint

__all__ = ["PAGE", "apparatus", "changes", "colony", "repositories", "scopes", "setups", "users"]

PAGE = Page(blueprint, "Administration", is_for_administrators=True)
