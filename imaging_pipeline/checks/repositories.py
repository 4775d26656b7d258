"""Whether this machine finds each repository, and whether configuration and database agree on them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from imaging_pipeline.checks.finding import Finding, failed, notice, ok
from imaging_pipeline.choices import near
from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas.tables import Tables

Roots = Mapping[str, Sequence[str]]

_ADD = "imaging-pipeline repository add {} --root PATH"


def roots_in_database(tables: Tables) -> Roots:
    """Return the roots of every repository in the database, including one without roots."""
    names = sorted(tables.imaging.Repository().to_arrays("repository_name"))
    roots = tables.roots()
    return {str(name): sorted(root.root for root in roots if root.repository_name == name) for name in names}


def check_repositories(config: Config, roots: Roots | None) -> tuple[Finding, ...]:
    """Check every repository of this machine's configuration and of the database.

    Parameters
    ----------
    config
        The configuration in force.
    roots
        From `roots_in_database`; None where the database could not be queried.
    """
    names = sorted({*config.repositories, *(roots or {})})
    if not names:
        return (
            notice(
                "none",
                "no repository in the configuration"
                + ("" if roots is None else ", and none in the database"),
                f"Name each under custom.repositories, and add it: {_ADD.format('NAME')}",
            ),
        )
    return tuple(_check(name, config.repositories.get(name), roots) for name in names)


def _check(name: str, folder: Path | None, roots: Roots | None) -> Finding:
    if folder is None:
        return notice(
            name,
            "in the database, but not in this machine's configuration: this machine cannot do its jobs",
            f'Where they are to be done here, mount it and give its folder: custom.repositories, "{name}".',
        )
    reason = why_not_readable(folder)
    if reason:
        return failed(
            name,
            f"{folder} {reason}",
            "Mount the share there, or correct its folder under custom.repositories.",
        )
    if roots is not None and name not in roots:
        return _missing_in_database(name, folder, roots)
    if roots is None:
        roots_text = "its roots were not asked, since the database is not ready"
    else:
        roots_text = f"roots: {', '.join(roots[name])}" if roots[name] else "no roots"
    found = f"{folder} can be read; {roots_text}"
    if is_unmounted(folder):
        return notice(
            name,
            f"{folder} is empty, as a mount point is whose share is not mounted; {roots_text}",
            "Mount the share, unless there is nothing in it yet.",
        )
    if roots is not None and not roots[name]:
        return notice(
            name,
            found,
            f"Nobody can register a folder in it. Add what people type for it: {_ADD.format(name)}",
        )
    return ok(name, found)


def is_unmounted(folder: Path) -> bool:
    """Return True if a folder looks like a mount point without its share: empty, and nothing is mounted."""
    return not any(folder.iterdir()) and not os.path.ismount(folder)


def why_not_readable(folder: Path) -> str:
    """Return why a folder cannot be listed, to follow its name in a sentence; empty if it can."""
    try:
        with os.scandir(folder) as entries:
            next(entries, None)
    except FileNotFoundError:
        return "is not there"
    except NotADirectoryError:
        return "is a file"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return ""


def _missing_in_database(name: str, folder: Path, roots: Roots) -> Finding:
    alike = near(name, roots)
    meant = f"Where {' or '.join(alike)} is meant, correct custom.repositories. Else add" if alike else "Add"
    return failed(
        name,
        f"{folder} can be read, but the database knows no repository of this name",
        f"{meant} it: {_ADD.format(name)}",
    )
