"""What the address of a search says."""

from __future__ import annotations

from datetime import date

from flask import request


def text(name: str) -> str:
    """Return what stands there, without blanks around it; empty where nothing does."""
    return request.args.get(name, "").strip()


def day(name: str) -> date | None:
    """Return a day; what is none is as if it were not there."""
    try:
        return date.fromisoformat(text(name))
    except ValueError:
        return None
