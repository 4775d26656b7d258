"""All pages, in the order of the navigation."""

from __future__ import annotations

from imaging_pipeline.web.page import Page
from imaging_pipeline.web.pages import (
    add,
    administration,
    cells,
    folders,
    health,
    home,
    jobs,
    options,
    password,
    sessions,
    sign_in,
)

PAGES: tuple[Page, ...] = (
    home.PAGE,
    add.PAGE,
    folders.PAGE,
    sessions.PAGE,
    jobs.PAGE,
    options.PAGE,
    cells.PAGE,
    administration.PAGE,
    password.PAGE,
    sign_in.PAGE,
    health.PAGE,
)
