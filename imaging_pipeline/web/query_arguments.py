"""Arguments of a search in the query string of an address."""

from __future__ import annotations

from datetime import date

from flask import request


def text(name: str) -> str:
    """Return an argument without blanks around it; empty where there is none."""
    return request.args.get(name, "").strip()


def day(name: str) -> date | None:
    """Return an argument as a day; None where there is none or it is not a day."""
    try:
        return date.fromisoformat(text(name))
    except ValueError:
        return None
