"""What a person saw and agreed to before a request is made, and what is deleted when it is carried out."""

from __future__ import annotations

from collections.abc import Iterable

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.table_names import readable_name

# The most rows that may be deleted of each table, by its full name; none of tables that are not there.
Consent = dict[str, int]


def to_what_was_shown(purged: Iterable[Purged]) -> Consent:
    """Return the consent of a person who agreed to this, and to no more."""
    return {each.table: each.num_rows for each in purged}


def refuse_more(consent: Consent | None, purged: Iterable[Purged]) -> None:
    """Raise where more is deleted than was agreed to; None agrees to whatever is out of date.

    Raises
    ------
    InputError
        It tells the tables, and both numbers.
    """
    if consent is None:
        return
    more = [each for each in purged if each.num_rows > consent.get(each.table, 0)]
    if more:
        raise InputError(
            "More would be deleted than was shown",
            found=", ".join(f"{each.num_rows} rows of {readable_name(each.table)}" for each in more),
            allowed=", ".join(
                f"{consent.get(each.table, 0)} of {readable_name(each.table)}" for each in more
            ),
            remedy="look at what would be deleted now, and ask for it again.",
        )
