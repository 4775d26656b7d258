"""A page of the site."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint


@dataclass(frozen=True)
class Page:
    """One page, with all its addresses.

    Attributes
    ----------
    blueprint
        Its views; the first one that the navigation leads to is called ``index``.
    title
        Its label in the navigation; None leaves it out of the navigation.
    is_for_administrators
        Whether only administrators see it and may call its views.
    """

    blueprint: Blueprint
    title: str | None = None
    is_for_administrators: bool = False

    @property
    def endpoint(self) -> str:
        """Return the endpoint that the navigation leads to."""
        return f"{self.blueprint.name}.index"
