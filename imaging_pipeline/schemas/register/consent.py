"""What a person agreed to before a request is made, and what is deleted when it is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.table_names import readable_name
from imaging_pipeline.wording import shortened_list

# Full name of a table → the most rows of it that may be deleted; none of a table that is missing.
Consent = Mapping[str, int]

NO_CONSENT: Consent = {}
"""Of a request that a program makes: nobody was shown what it deletes, so that it may delete nothing."""


def consent_to(purged: Iterable[Purged]) -> Consent:
    """Return the consent of a person who was shown these rows and agreed."""
    return {each.table: each.num_rows for each in purged}


def check_consent(consent: Consent | None, purged: Iterable[Purged]) -> None:
    """Raise InputError where more is deleted than was agreed to; None agrees to all that is out of date.

    Raises
    ------
    InputError
        More rows of a table; the error names the tables, both numbers, and why the rows are out of date.
    """
    if consent is None:
        return
    more = [each for each in purged if each.num_rows > consent.get(each.table, 0)]
    if more:
        rows = ", ".join(f"{each.num_rows} rows of {readable_name(each.table)}" for each in more)
        reasons = dict.fromkeys(reason for each in more for reason in each.reason.split("; "))
        raise InputError(
            "More would be deleted than was shown",
            found=f"{rows}, because {shortened_list(list(reasons), '; ')}",
            allowed=", ".join(
                f"{consent.get(each.table, 0)} of {readable_name(each.table)}" for each in more
            ),
            remedy="look at what would be deleted now, and ask for it again. Until then all of it stays.",
        )
