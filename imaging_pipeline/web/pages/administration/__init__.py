"""Pages for administrators: users, repositories, setups, microscopes, apparatus, colony, and changes."""

from __future__ import annotations

from imaging_pipeline.web.page import Page
from imaging_pipeline.web.pages.administration import (
    apparatus,
    change_log,
    colony,
    repositories,
    scopes,
    setups,
    users,
)
from imaging_pipeline.web.pages.administration.subjects import blueprint

__all__ = ["PAGE", "apparatus", "change_log", "colony", "repositories", "scopes", "setups", "users"]

PAGE = Page(blueprint, "Administration", is_for_administrators=True)
