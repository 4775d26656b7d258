"""What a worker decides and shows, without a database."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from datajoint.errors import DataJointError, IntegrityError, LostConnectionError
from rich.console import Console

from batch_populate.command import main
from imaging_pipeline.errors import (
    FormatError,
    InputError,
    MissingPackageError,
    MissingWeightsError,
    Move,
    NotMountedError,
    RunError,
    StillCopyingError,
)
from imaging_pipeline.lanes import LANES, lanes_named, short_name
from imaging_pipeline.progress import Progress
from imaging_pipeline.workers.messages import Advanced, Event, Fate, Finished, Note, Started
from imaging_pipeline.workers.policy import Death, KeyGoneError, Verdict, load_policies
from imaging_pipeline.workers.processes import is_gone
from imaging_pipeline.workers.stop_signals import stop_signals
from imaging_pipeline.workers.summary import Left, Summary
from imaging_pipeline.workers.view import view

TIF = "imaging_pipeline.schemas.imaging:Tif"
KEY = {"session_name": "0123456789abcdef"}


def judge(error: BaseException) -> Fate:
    verdicts = [verdict for policy in load_policies() if (verdict := policy.judge(error))]
    assert len(verdicts) <= 1
    return verdicts[0].fate if verdicts else Fate.ERROR


class PostgreSQLError(Exception):
    """As psycopg2's own."""

    def __init__(self, pgcode: str) -> None:
        super().__init__("what happened")
        self.pgcode = pgcode


class WindowsOSError(OSError):
    """As Windows raises it, where it fills this in."""

    def __init__(self, winerror: int) -> None:
        super().__init__(errno.EINVAL, "what happened")
        self.winerror = winerror


def caused(error: Exception, cause: Exception) -> Exception:
    """Give what ``raise error from cause`` raises."""
    error.__cause__ = cause
    return error


def wrapped(error: Exception) -> Exception:
    """Give what DataJoint makes of a driver's error."""
    try:
        try:
            raise error
        except Exception:
            raise IntegrityError("violates foreign key constraint")  # noqa: B904  as DataJoint does
    except IntegrityError as integrity_error:
        return integrity_error


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (FormatError("The stack is damaged", remedy="Copy it again."), Fate.ERROR),
        (ImportError("numpy"), Fate.ERROR),
        (SystemExit("SIGTERM received"), Fate.INTERRUPTED),
        (SystemExit(3), Fate.ERROR),
        (KeyboardInterrupt(), Fate.INTERRUPTED),
        (StillCopyingError("Files are still being copied", remedy="Nothing; it waits."), Fate.WAITING),
        (RunError("The share is away", remedy="Mount it.", move=Move.RETRY), Fate.WAITING),
        (NotMountedError("The repository is not mounted", remedy="Mount it."), Fate.WAITING),
        (MissingPackageError("Suite2p is not installed", remedy="Install it."), Fate.UNABLE),
        (
            MissingWeightsError("Cellpose's weights are not on this machine", remedy="Put them there."),
            Fate.WAITING,
        ),
        (OSError(errno.EIO, "Input/output error"), Fate.WAITING),
        (OSError(errno.ETIMEDOUT, "Connection timed out"), Fate.WAITING),
        (WindowsOSError(59), Fate.WAITING),
        (
            caused(
                FormatError("The stack is damaged", remedy="Copy it again."),
                OSError(errno.ESTALE, "Stale handle"),
            ),
            Fate.WAITING,
        ),
        (
            caused(FormatError("The stack is damaged", remedy="Copy it again."), ValueError("no number")),
            Fate.ERROR,
        ),
        (OSError(errno.ENOENT, "No such file or directory"), Fate.ERROR),
        (OSError(errno.EACCES, "Permission denied"), Fate.ERROR),
        (OSError(errno.ENOSPC, "No space left on device"), Fate.ERROR),
        (WindowsOSError(5), Fate.ERROR),
        (LostConnectionError("gone"), Fate.DISCONNECTED),
        (PostgreSQLError("40P01"), Fate.WAITING),
        (PostgreSQLError("55P03"), Fate.WAITING),
        (PostgreSQLError("23001"), Fate.WAITING),
        (PostgreSQLError("23505"), Fate.ERROR),
        (wrapped(PostgreSQLError("23503")), Fate.WAITING),
        (wrapped(RuntimeError(1451, "Cannot delete or update a parent row")), Fate.WAITING),
        (RuntimeError(1213, "Deadlock found"), Fate.WAITING),
        (RuntimeError(1062, "Duplicate entry"), Fate.ERROR),
        (DataJointError("Referential integrity failed! The `make_fetch` data has changed"), Fate.WAITING),
        (KeyGoneError("What it was made from is no more."), Fate.GONE),
    ],
)
def test_an_error_decides_what_becomes_of_its_job(error: BaseException, fate: Fate) -> None:
    assert judge(error) is fate


def test_what_waits_is_left_alone_for_a_while() -> None:
    error = StillCopyingError("Files are still being copied", remedy="Nothing; it waits.")
    delays = [verdict.delay_s for policy in load_policies() if (verdict := policy.judge(error))]
    assert delays == [60.0]


def test_a_row_that_is_still_referred_to_is_an_error_in_the_end() -> None:
    error = wrapped(PostgreSQLError("23503"))
    attempts = [verdict.max_attempts for policy in load_policies() if (verdict := policy.judge(error))]
    assert attempts == [5]


def test_the_third_death_of_a_job_is_kept_as_its_error() -> None:
    policies = load_policies()

    def verdict(key: dict[str, object]) -> Verdict:
        death = Death(TIF, key, -9)
        return next(verdict for policy in policies if (verdict := policy.judge_death(death)))

    assert [verdict(KEY).fate for _ in range(3)] == [Fate.CRASHED, Fate.CRASHED, Fate.ERROR]
    assert verdict({"session_name": "another"}).fate is Fate.CRASHED


@pytest.mark.parametrize("fate", [Fate.DONE, Fate.ERROR])
def test_deaths_before_a_job_was_settled_do_not_count(fate: Fate) -> None:
    policies = load_policies()

    def die() -> Fate:
        verdicts = [verdict for policy in policies if (verdict := policy.judge_death(Death(TIF, KEY, -9)))]
        return verdicts[0].fate

    assert [die(), die()] == [Fate.CRASHED, Fate.CRASHED]
    for policy in policies:
        policy.after_job(Finished(TIF, KEY, fate))
    assert die() is Fate.CRASHED


def test_a_missing_package_keeps_the_worker_from_that_table_only() -> None:
    policies = load_policies()
    for policy in policies:
        policy.after_job(Finished("module:Suite2Py", KEY, Fate.UNABLE, "Suite2p is not installed."))
    assert [reason for policy in policies if (reason := policy.why_not("module:Suite2Py"))] == [
        "Suite2p is not installed."
    ]
    assert not any(policy.why_not(TIF) for policy in policies)


def test_lanes_come_in_the_order_in_which_work_flows() -> None:
    assert [lane.name for lane in lanes_named(["computed", "ingest"])] == ["ingest", "computed"]
    assert lanes_named([]) == LANES


def test_an_unknown_lane_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(InputError, match=r"imprted.*Did you mean imported\?"):
        lanes_named(["imprted"])


def test_importing_the_lanes_imports_no_tables() -> None:
    code = "import sys, imaging_pipeline.lanes as m; print('datajoint' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_a_table_is_shown_by_its_short_name() -> None:
    assert short_name(TIF) == "imaging.Tif"


def test_this_process_is_not_gone() -> None:
    assert not is_gone(os.getpid(), age_s=0.0)


def test_a_process_that_is_younger_than_its_note_has_the_number_of_a_dead_one() -> None:
    assert is_gone(os.getpid(), age_s=10 * 365 * 86400.0)


def test_a_process_that_ended_is_gone_although_nobody_has_asked_for_it() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        deadline = time.monotonic() + 30
        while not is_gone(child.pid, age_s=0.0):
            assert time.monotonic() < deadline
        assert child.returncode is None
    assert is_gone(child.pid, age_s=0.0)


def test_signals_become_a_request_and_are_given_back() -> None:
    former = signal.getsignal(signal.SIGTERM)
    with stop_signals() as stop:
        assert stop.count == 0
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert stop.count == 2
    assert signal.getsignal(signal.SIGTERM) is former


def test_a_summary_says_what_is_left_and_why() -> None:
    summary = Summary(4, 1, (Left(TIF, 2, "for later"), Left("a.suite2p_jobs:Suite2Py", 3, "not begun")))
    assert str(summary) == (
        "done 4, errors 1, left 5 (imaging.Tif: 2 for later; suite2p_jobs.Suite2Py: 3 not begun)"
    )


EVENTS: tuple[Event, ...] = (
    Started(TIF, KEY, 4711),
    Advanced(TIF, KEY, Progress("reading headers", 1, 2)),
    Advanced(TIF, KEY, Progress("reading headers", 2, 2)),
    Finished(TIF, KEY, Fate.ERROR, "The stack is damaged. File: [a].tif.", 1.25),
    Note("The connection to the database was lost, and made again.", 30),
)


def test_a_log_has_a_line_for_each_event_but_mere_counts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"), view(Console(file=io.StringIO())) as show:
        for event in EVENTS:
            show(event)
    job = "imaging.Tif session_name=0123456789abcdef"
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", f"{job}: begins"),
        ("INFO", f"{job}: reading headers 1 of 2"),
        ("ERROR", f"{job}: error after 1.2 s: The stack is damaged. File: [a].tif."),
        ("WARNING", "The connection to the database was lost, and made again."),
    ]


def drawn(events: tuple[Event, ...]) -> str:
    screen = io.StringIO()
    with view(Console(file=screen, force_terminal=True, width=160)) as show:
        for event in events:
            show(event)
    return screen.getvalue()


def test_a_terminal_shows_how_far_the_running_job_is() -> None:
    assert "reading headers 2 of 2" in drawn(EVENTS[:3])


def test_a_terminal_keeps_a_line_of_what_came_of_a_job() -> None:
    screen = drawn(EVENTS)
    assert "error after 1.2 s: The stack is damaged. File: [a].tif." in screen
    assert "The connection to the database was lost, and made again." in screen
    done = drawn((Finished(TIF, KEY, Fate.DONE, "day1: 2 sessions new", 1.25),))
    assert "imaging.Tif 01234567: done after 1.2 s: day1: 2 sessions new" in done


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "--once"), (["--once", "--idle", "0"], "--idle"), (["x", "--once"], "no such lane")],
)
def test_a_wrong_command_line_is_refused(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code != 0
    assert said in result.output
