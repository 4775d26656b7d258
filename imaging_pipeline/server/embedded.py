"""The embedded PostgreSQL server: one user, one machine, no installation.

Any process of the user may `start` the server of a folder: the first one starts it, the others attach, and
the last one stops it. Each holds a lock, which the operating system releases when the process dies, however.

A server folder holds ``postgresql/`` (the data), ``server.log``, ``server.lock`` and ``users/``.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import shlex
import shutil
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import fasteners  # type: ignore[import-untyped]
import psutil

from imaging_pipeline.errors import DatabaseError
from imaging_pipeline.server.postgres_programs import Programs, find_programs

__all__ = ["EmbeddedServer", "is_made", "start"]

PORT = 5432
USER = "postgres"
# PostgreSQL's own limit on macOS; Linux takes five more.
_SOCKET_PATH_MAX_BYTES = 103
# A server that was killed replays its log first.
_READY_WITHIN_S = 300

_SOCKET_FOLDER = "imaging-pipeline-"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EmbeddedServer:
    """A running server.

    Attributes
    ----------
    folder
        The server folder.
    host
        The folder of its socket, or ``127.0.0.1`` on Windows.
    port, user
        How to connect; any password is accepted, since only this user can reach the socket.
    """

    folder: Path
    host: str
    port: int
    user: str = USER


_threads = threading.Lock()
# With the process: a forked child holds none of its parent's locks.
_signed_in: set[tuple[int, Path]] = set()


def start(folder: Path) -> EmbeddedServer:
    """Start the server of a folder, or attach to it; it is stopped when its last process ends.

    Parameters
    ----------
    folder
        The server folder; made when it does not exist.

    Raises
    ------
    DatabaseError
        The folder cannot be used or the server does not start; says why.
    """
    folder = folder.expanduser().resolve()
    # The lock of a file holds between processes, but not between the threads of one.
    with _threads:
        _make(folder)
        with _lock(folder):
            programs = find_programs(folder)
            _initialise(folder, programs)
            server = _running(folder, programs) or _launch(folder, programs)
            if (os.getpid(), folder) not in _signed_in:
                _sign_in(folder, programs)
    return server


def is_made(folder: Path) -> bool:
    """Return True if a folder holds the data of a server, running or not."""
    return _data(folder.expanduser()).is_dir()


def _make(folder: Path) -> None:
    try:
        _users(folder).mkdir(parents=True, exist_ok=True)
        (folder / "server.lock").touch()
    except OSError as error:
        raise DatabaseError(
            "The folder of the embedded server cannot be used",
            path=folder,
            found=error.strerror,
            remedy="choose a folder that you may write to (custom.embedded.folder); each user of a machine"
            " needs one of their own.",
        ) from error


def _lock(folder: Path) -> fasteners.InterProcessLock:
    return fasteners.InterProcessLock(folder / "server.lock")


def _data(folder: Path) -> Path:
    return folder / "postgresql"


def _users(folder: Path) -> Path:
    return folder / "users"


# Making the data


def _initialise(folder: Path, programs: Programs) -> None:
    data = _data(folder)
    if data.exists():
        return
    # Made aside and renamed, so that a folder of this name is complete even if its maker was killed.
    unfinished = folder / "postgresql.unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    programs.hand_over(unfinished)
    status, written = programs.call(
        "initdb",
        f"--pgdata={unfinished}",
        f"--username={USER}",
        "--auth=trust",
        "--encoding=UTF8",
        # The same order of texts on every machine, whatever locales are installed there.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        cwd=folder,
    )
    if status:
        raise _failure("could not be made", folder, _tail(written))
    unfinished.rename(data)


# Starting


def _running(folder: Path, programs: Programs) -> EmbeddedServer | None:
    """Return the server that runs on the folder's data; wait for one that is starting or stopping."""
    until = time.monotonic() + _READY_WITHIN_S
    while (server := _server_note(folder)) is not None:
        if _is_answering(programs, server):
            return server
        if not (processes := _processes(folder)):
            # A killed server left this file. PostgreSQL would believe it where another process has the
            # number now, or a zombie that nobody reaps, as happens in containers.
            (_data(folder) / "postmaster.pid").unlink(missing_ok=True)
            (Path(server.host) / f".s.PGSQL.{server.port}.lock").unlink(missing_ok=True)
            return None
        if time.monotonic() > until:
            raise DatabaseError(
                "The embedded server does not answer",
                path=folder,
                found=_log_tail(folder),
                remedy=f"end its processes ({', '.join(map(str, processes))}), then try again.",
            )
        time.sleep(0.1)
    return None


def _server_note(folder: Path) -> EmbeddedServer | None:
    """Read the server's ``postmaster.pid``: process, data, start time, port, socket folder, address, more."""
    with suppress(FileNotFoundError):
        lines = os.fsdecode((_data(folder) / "postmaster.pid").read_bytes()).splitlines()
        _, _, _, port, socket_folder, address = (lines + [""] * 6)[:6]
        return EmbeddedServer(folder, socket_folder or address, int(port or PORT))
    return None


def _processes(folder: Path) -> list[int]:
    """Return the processes that run on the folder's data: PostgreSQL's have it as working directory."""
    alive = (
        process
        for process in psutil.process_iter(["name", "cwd", "status"])
        if process.info["name"].startswith("postgres") and process.info["status"] != psutil.STATUS_ZOMBIE
    )
    return [process.pid for process in alive if process.info["cwd"] == str(_data(folder))]


def _is_answering(programs: Programs, server: EmbeddedServer) -> bool:
    arguments = ("--host", server.host, "--port", str(server.port), "--username", server.user)
    status, _ = programs.call("pg_isready", *arguments, cwd=server.folder)
    return status == 0


def _launch(folder: Path, programs: Programs) -> EmbeddedServer:
    log = folder / "server.log"
    log.touch(mode=0o600)
    programs.hand_over(log)
    status, written = programs.call(
        "pg_ctl",
        "start",
        "--wait",
        f"--timeout={_READY_WITHIN_S}",
        f"--pgdata={_data(folder)}",
        f"--log={log}",
        f"--options={_listening(folder, programs)}",
        cwd=folder,
    )
    if status or (server := _server_note(folder)) is None:
        raise _failure("did not start", folder, f"{_tail(written)}; {_log_tail(folder)}")
    return server


def _listening(folder: Path, programs: Programs) -> str:
    """Return the server's options, quoted for the shell that ``pg_ctl`` passes them through."""
    if sys.platform == "win32":
        with socket.socket() as free:
            # Windows has no socket in a folder: any free port, which the server notes in its data folder.
            free.bind(("127.0.0.1", 0))
            return f"-h 127.0.0.1 -p {free.getsockname()[1]}"
    # No address, so no TCP. PostgreSQL takes a list of socket folders: quotes keep one with a comma whole.
    return shlex.join(["-h", "", "-p", str(PORT), "-k", f'"{_socket_folder(folder, programs)}"'])


def _socket_folder(folder: Path, programs: Programs) -> Path:
    """Return the data folder, which nobody else may enter, or one like it where that path is too long."""
    data = _data(folder)
    if len(os.fsencode(data / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_MAX_BYTES:
        return data
    short = Path(tempfile.mkdtemp(prefix=_SOCKET_FOLDER))
    programs.hand_over(short)
    return short


# Which processes use it: each holds a lock of its own


def _sign_in(folder: Path, programs: Programs) -> None:
    mine = fasteners.InterProcessLock(_users(folder) / f"{os.getpid()}-{secrets.token_hex(4)}")
    mine.acquire()
    atexit.register(_sign_out, os.getpid(), folder, programs, mine)
    _signed_in.add((os.getpid(), folder))


def _sign_out(pid: int, folder: Path, programs: Programs, mine: fasteners.InterProcessLock) -> None:
    if pid != os.getpid() or not _users(folder).is_dir():
        # A forked child; or the folder was removed, which ends the server by itself.
        return
    with _lock(folder):
        mine.release()
        # All are tried, so that no file of a killed process stays behind.
        if not any([_is_held(user) for user in _users(folder).iterdir()]):
            _stop(folder, programs)


def _is_held(user: Path) -> bool:
    """Return True if a living process holds the lock; the file of a dead one is removed."""
    lock = fasteners.InterProcessLock(user)
    if not lock.acquire(blocking=False):
        lock.lockfile.close()
        return True
    lock.release()
    user.unlink()
    return False


def _stop(folder: Path, programs: Programs) -> None:
    if (server := _server_note(folder)) is None:
        return
    arguments = ("stop", "--wait", "--mode=fast", f"--pgdata={_data(folder)}")
    status, written = programs.call("pg_ctl", *arguments, cwd=folder)
    if status:
        _logger.warning("The embedded server in %s was not stopped: %s", folder, _tail(written))
    elif Path(server.host).name.startswith(_SOCKET_FOLDER):
        shutil.rmtree(server.host, ignore_errors=True)


def _failure(what: str, folder: Path, output: str) -> DatabaseError:
    remedy = "Remove the cause that PostgreSQL names, and try again."
    return DatabaseError(f"The embedded server {what}", path=folder, found=output, remedy=remedy)


def _tail(written: str) -> str:
    return " | ".join(written.splitlines()[-3:])


def _log_tail(folder: Path) -> str:
    log = folder / "server.log"
    return _tail(log.read_text(encoding="utf-8", errors="replace")) if log.exists() else "no log"
