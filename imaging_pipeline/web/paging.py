"""Pages of long lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request, url_for

Item = TypeVar("Item")
Other = TypeVar("Other")

PER_PAGE = 50
# Pages: beyond the last of any list, while the offset, 50 million rows, is within the limits of both servers.
_FARTHEST = 1_000_000


@dataclass(frozen=True)
class Paged(Generic[Item]):
    """One page of a list.

    Attributes
    ----------
    rows
        The rows of this page.
    number
        The page number, from 1.
    has_next
        Whether there is another page.
    """

    rows: Sequence[Item]
    number: int
    has_next: bool

    def map(self, convert: Callable[[Item], Other]) -> Paged[Other]:
        """Return the same page with each row converted."""
        return Paged([convert(row) for row in self.rows], self.number, self.has_next)

    def address(self, number: int) -> str:
        """Return the address of another page of the list that this request shows."""
        values: dict[str, Any] = {**request.args.to_dict(flat=False), **(request.view_args or {})}
        return url_for(str(request.endpoint), **{**values, "page": number})


def page_number() -> int:
    """Return the requested page number; 1 where the address has none that makes sense."""
    typed = request.args.get("page", "1")
    # `isdigit` also accepts digits of other scripts, and servers have limits for an offset.
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 1
    return min(max(number, 1), _FARTHEST)


def paged(
    query: Any, number: int, *, order_by: str | Sequence[str], per_page: int = PER_PAGE
) -> Paged[dict[str, Any]]:
    """Fetch one page of a query, and one row more to know whether there is another page.

    Parameters
    ----------
    query
        A restricted DataJoint table or join.
    number
        The page, from 1.
    order_by
        Columns, with ``DESC`` behind one that descends; with the key, so that no row is on two pages.
    per_page
        Rows of a page.
    """
    rows = query.to_dicts(order_by=order_by, limit=per_page + 1, offset=(number - 1) * per_page)
    return Paged(rows[:per_page], number, len(rows) > per_page)
