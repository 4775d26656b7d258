"""The embedded server, used by several processes of which some are killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from imaging_pipeline.errors import DatabaseError, Responsible
from imaging_pipeline.server import embedded, postgres_programs

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
only_posix = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and sockets")
only_root = pytest.mark.skipif(not IS_ROOT, reason="only root's server runs as another user")

CLIENT = """
import sys
from pathlib import Path
import psycopg2
from imaging_pipeline.server import embedded

def run(query):
    server = embedded.start(Path(sys.argv[1]))
    session = psycopg2.connect(host=server.host, port=server.port, user=server.user, dbname="postgres")
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]

for query in sys.stdin:
    print(run(query), flush=True)
"""


class Client:
    """Another process of the same user, which asks one server."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", CLIENT, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
            start_new_session=True,
        )

    def ask(self, query: str) -> str:
        self.send(query)
        return self.answer()

    def send(self, query: str) -> None:
        self.process.stdin.write(query + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        answer = self.process.stdout.readline().strip()
        assert answer, self.process.communicate()[1]
        return answer

    def end(self) -> str:
        """Let it end by itself, and give what it wrote to the terminal."""
        return self.process.communicate(timeout=60)[1]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def folder():
    # Not below pytest's own folder: every new pytest makes that private again, and root's server
    # has to pass through.
    with tempfile.TemporaryDirectory(prefix="a server ") as made:
        yield Path(made) / "with spaces"


@pytest.fixture
def client():
    """Return a maker of clients; whatever a test leaves behind is ended."""
    made: list[Client] = []

    def make(folder: Path, environment: dict[str, str] | None = None) -> Client:
        made.append(Client(folder, environment))
        return made[-1]

    yield make
    for one in made:
        if one.process.returncode is None:
            one.kill()


def note(folder: Path) -> Path:
    return folder / "postgresql" / "postmaster.pid"


def test_the_last_process_stops_the_server_and_the_first_does_not(folder, client):
    first, second = client(folder), client(folder)
    started = first.ask("select pg_postmaster_start_time()")
    assert second.ask("select pg_postmaster_start_time()") == started
    assert first.end() == ""
    assert second.ask("select pg_postmaster_start_time()") == started
    assert second.end() == ""
    assert not note(folder).exists()


@only_posix
def test_a_killed_process_does_not_keep_the_server_running(folder, client):
    killed = client(folder)
    started = killed.ask("select pg_postmaster_start_time()")
    killed.kill()
    assert note(folder).exists()
    later = client(folder)
    assert later.ask("select pg_postmaster_start_time()") == started
    later.end()
    assert not note(folder).exists()
    assert list((folder / "users").iterdir()) == []


@only_posix
def test_a_killed_server_is_started_again_with_its_data(folder, client):
    one = client(folder)
    one.ask("create table kept as select 7 as number; select number from kept")
    os.kill(int(note(folder).read_text().split()[0]), signal.SIGKILL)
    assert one.ask("select number from kept") == "7"
    one.end()
    assert not note(folder).exists()


@only_posix
def test_a_note_whose_number_is_now_another_process_is_not_believed(folder, client):
    one = client(folder)
    one.ask("select 1")
    written = note(folder).read_text()
    one.end()
    note(folder).write_text(written.replace(written.split()[0], str(os.getpid()), 1))
    after = client(folder)
    assert after.ask("select 1") == "1"
    after.end()


@only_posix
def test_an_interrupt_at_the_terminal_does_not_reach_the_server(folder, client):
    keeper, interrupted = client(folder), client(folder)
    started = interrupted.ask("select pg_postmaster_start_time()")
    assert keeper.ask("select pg_postmaster_start_time()") == started
    os.killpg(interrupted.process.pid, signal.SIGINT)
    interrupted.end()
    assert keeper.ask("select pg_postmaster_start_time()") == started
    keeper.end()


def test_the_environment_of_another_server_does_not_mislead(folder, client):
    one = client(folder, {"PGPORT": "6543", "PGHOST": "db.lab", "LANG": "xx_YY.UTF-8"})
    assert one.ask("show port") == "5432"
    one.end()


@only_posix
def test_processes_that_start_a_new_server_at_once_in_a_long_path_share_one(client):
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / ("long" * 30) / "new"
        clients = [client(folder) for _ in range(3)]
        for one in clients:
            one.send("select pg_postmaster_start_time()")
        assert len({one.answer() for one in clients}) == 1
        socket_folder = Path(clients[0].ask("show unix_socket_directories").strip('"'))
        assert socket_folder.stat().st_mode & 0o077 == 0
        for one in clients:
            one.end()
        assert not note(folder).exists()
        assert not socket_folder.exists()


def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DatabaseError) as caught:
        embedded.start(file / "server")
    assert str(file / "server") in str(caught.value)
    assert "custom.embedded.folder" in str(caught.value)
    assert caught.value.responsible is Responsible.ADMINISTRATOR


@only_root
def test_root_is_told_which_private_folder_is_in_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with pytest.raises(DatabaseError, match=f"{home} is private.*chmod o[+]x"):
        embedded.start(home / "server")
    assert home.stat().st_mode & 0o077 == 0


@only_root
def test_root_runs_programs_from_a_private_place_without_opening_it(monkeypatch):
    with tempfile.TemporaryDirectory() as private, tempfile.TemporaryDirectory() as folder:
        installed = postgres_programs.find_programs(Path(folder)).folder
        package = installed.parents[1]
        for part in (Path(package.name) / installed.parent.name, Path(f"{package.name}.libs")):
            shutil.copytree(package.parent / part, Path(private) / part)
        (Path(private) / package.name / "__init__.py").touch()
        monkeypatch.syspath_prepend(private)
        programs = postgres_programs.find_programs(Path(folder))
        status, written = programs.call("initdb", "--version", cwd=Path(folder))
        assert (status, written.split()[:2]) == (0, ["initdb", "(PostgreSQL)"])
        assert programs.folder.is_relative_to(folder)
        assert Path(private).stat().st_mode & 0o077 == 0
