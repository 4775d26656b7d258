"""What becomes of a job that was not made, and what its row then says."""

from __future__ import annotations

import errno

import pytest
from datajoint.errors import AccessError, DataJointError, IntegrityError, LostConnectionError
from pymysql.err import OperationalError

from imaging_pipeline.errors import (
    FormatError,
    MissingPackageError,
    MissingWeightsError,
    NotMountedError,
    ParsedMessage,
    ProcessKilledError,
    Responsible,
    RunError,
    StillCopyingError,
    StoreError,
    format_message,
    parse_message,
)
from imaging_pipeline.workers.failed_attempt import Setback, after_death, after_error
from imaging_pipeline.workers.messages import Fate, Finished, Key
from imaging_pipeline.workers.pipe import STOPPED
from imaging_pipeline.workers.policies.policy import (
    Death,
    KeyGoneError,
    Verdict,
    first_verdict,
    load_policies,
)
from imaging_pipeline.workers.settings import Settings

TIF = "imaging_pipeline.schemas.imaging:Tif"
KEY: Key = {"session_name": "0123456789abcdef"}


def verdict(error: BaseException) -> Verdict:
    verdicts = [verdict for policy in load_policies() if (verdict := policy.judge(error))]
    assert len(verdicts) <= 1
    return verdicts[0] if verdicts else Verdict(Fate.ERROR)


def settled(error: BaseException, before: str = "") -> Setback:
    return after_error(error, verdict(error), before)


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
    """Return what ``raise error from cause`` raises."""
    error.__cause__ = cause
    return error


def wrapped(error: Exception) -> Exception:
    """Return what DataJoint makes of a driver's error."""
    try:
        try:
            raise error
        except Exception:
            raise IntegrityError("violates foreign key constraint")  # noqa: B904  as DataJoint does
    except IntegrityError as integrity_error:
        return integrity_error


DAMAGED = FormatError("The stack is damaged", remedy="Copy it again.")


@pytest.mark.parametrize(
    ("error", "fate", "responsible"),
    [
        (DAMAGED, Fate.ERROR, Responsible.EXPERIMENTER),
        (ImportError("numpy"), Fate.ERROR, Responsible.DEVELOPER),
        (SystemExit(3), Fate.ERROR, Responsible.DEVELOPER),
        (SystemExit(STOPPED), Fate.INTERRUPTED, None),
        (KeyboardInterrupt(), Fate.INTERRUPTED, None),
        (StillCopyingError("Still being copied", remedy="Nothing."), Fate.WAITING, Responsible.RETRY),
        (
            RunError("The share is away", remedy="Mount it.", responsible=Responsible.RETRY),
            Fate.WAITING,
            Responsible.RETRY,
        ),
        (NotMountedError("Not mounted", remedy="Mount it."), Fate.ELSEWHERE, Responsible.ADMINISTRATOR),
        (
            NotMountedError("The folder is gone", remedy="Mount it.", responsible=Responsible.RETRY),
            Fate.WAITING,
            Responsible.RETRY,
        ),
        (MissingPackageError("No Suite2p", remedy="Install it."), Fate.UNABLE, Responsible.ADMINISTRATOR),
        (MissingWeightsError("No weights", remedy="Get them."), Fate.ELSEWHERE, Responsible.ADMINISTRATOR),
        (ProcessKilledError("Suite2p was killed", remedy="Less."), Fate.CRASHED, Responsible.RETRY),
        (OSError(errno.EIO, "Input/output error"), Fate.WAITING, Responsible.RETRY),
        (OSError(errno.ETIMEDOUT, "Connection timed out"), Fate.WAITING, Responsible.RETRY),
        (OSError(errno.ENOSPC, "No space left on device"), Fate.WAITING, Responsible.RETRY),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Fate.WAITING, Responsible.RETRY),
        (WindowsOSError(59), Fate.WAITING, Responsible.RETRY),
        (WindowsOSError(112), Fate.WAITING, Responsible.RETRY),
        (
            caused(DAMAGED.of("a.tif", Responsible.EXPERIMENTER), OSError(errno.ESTALE, "")),
            Fate.WAITING,
            Responsible.RETRY,
        ),
        (
            caused(DAMAGED.of("b.tif", Responsible.EXPERIMENTER), ValueError()),
            Fate.ERROR,
            Responsible.EXPERIMENTER,
        ),
        (
            caused(StoreError("The disk is full", remedy="Make room."), OSError(errno.ENOSPC, "")),
            Fate.WAITING,
            Responsible.RETRY,
        ),
        (OSError(errno.ENOENT, "No such file or directory"), Fate.ERROR, Responsible.DEVELOPER),
        (PermissionError(errno.EACCES, "Permission denied"), Fate.ERROR, Responsible.ADMINISTRATOR),
        (WindowsOSError(5), Fate.ERROR, Responsible.DEVELOPER),
        (MemoryError(), Fate.ERROR, Responsible.ADMINISTRATOR),
        (AccessError("Insufficient privileges."), Fate.ERROR, Responsible.ADMINISTRATOR),
        (LostConnectionError("gone"), Fate.DISCONNECTED, Responsible.RETRY),
        (OperationalError(2003, "Can't connect to MySQL server"), Fate.DISCONNECTED, Responsible.RETRY),
        (OperationalError(1053, "Server shutdown in progress"), Fate.DISCONNECTED, Responsible.RETRY),
        (OperationalError(1205, "Lock wait timeout exceeded"), Fate.WAITING, Responsible.RETRY),
        (PostgreSQLError("57P01"), Fate.DISCONNECTED, Responsible.RETRY),
        (PostgreSQLError("08006"), Fate.DISCONNECTED, Responsible.RETRY),
        (PostgreSQLError("40P01"), Fate.WAITING, Responsible.RETRY),
        (PostgreSQLError("55P03"), Fate.WAITING, Responsible.RETRY),
        (PostgreSQLError("23001"), Fate.WAITING, Responsible.RETRY),
        (PostgreSQLError("23505"), Fate.ERROR, Responsible.DEVELOPER),
        (wrapped(PostgreSQLError("23503")), Fate.WAITING, Responsible.RETRY),
        (
            wrapped(RuntimeError(1451, "Cannot delete or update a parent row")),
            Fate.WAITING,
            Responsible.RETRY,
        ),
        (RuntimeError(1213, "Deadlock found"), Fate.WAITING, Responsible.RETRY),
        (RuntimeError(1062, "Duplicate entry"), Fate.ERROR, Responsible.DEVELOPER),
        (DataJointError("The `make_fetch` data has changed"), Fate.WAITING, Responsible.RETRY),
        (KeyGoneError("What it was made from is no more."), Fate.GONE, None),
    ],
    ids=lambda each: repr(each) if isinstance(each, BaseException) else str(each),
)
def test_an_error_decides_what_becomes_of_its_job_and_its_row_says_whose_move_it_is(
    error: BaseException, fate: Fate, responsible: Responsible | None
) -> None:
    setback = settled(error)
    assert setback.fate is fate
    if responsible is not None:
        said = parse_message(setback.message)
        assert (said.responsible, said.kind) == (responsible, type(error).__name__)
        assert said.remedy


def test_an_error_of_the_pipeline_is_kept_as_it_told_itself() -> None:
    assert settled(DAMAGED).message == f"FormatError: {DAMAGED}"


def test_an_error_that_nobody_foresaw_is_a_bug_and_says_what_to_send() -> None:
    setback = settled(ValueError("cannot reshape array"))
    assert setback.message.startswith("ValueError: cannot reshape array. What to do: Send ")
    assert setback.message.endswith("A bug: please report it.")


def test_what_waits_is_left_alone_longer_each_time_and_never_longer_than_a_quarter_of_an_hour() -> None:
    error = StillCopyingError("Files are still being copied", remedy="Nothing; it waits.")
    pauses_s, before = [], ""
    for _ in range(8):
        setback = settled(error, before)
        before = setback.message
        pauses_s.append(setback.pause_s)
    assert pauses_s == [60, 60, 120, 240, 480, 900, 900, 900]
    assert parse_message(before).attempt == 8
    assert before.endswith("It is tried again by itself.")


def test_a_deadlock_is_tried_again_at_once_and_then_after_pauses() -> None:
    pauses_s, before = [], ""
    for _ in range(6):
        setback = settled(PostgreSQLError("40P01"), before)
        before = setback.message
        pauses_s.append(setback.pause_s)
    assert pauses_s[:3] == [0, 0, 0]
    assert pauses_s[3:] == sorted(pauses_s[3:])
    assert pauses_s[3] > 0


def test_a_row_that_is_still_referred_to_is_an_error_in_the_end() -> None:
    fates, before = [], ""
    for _ in range(5):
        setback = settled(wrapped(PostgreSQLError("23503")), before)
        before = setback.message
        fates.append(setback.fate)
    assert fates == [Fate.WAITING] * 4 + [Fate.ERROR]
    assert "(tried 5 times)" in before
    assert parse_message(before).attempt == 0


def test_what_another_machine_may_do_does_not_count_as_an_attempt() -> None:
    before = format_message(ParsedMessage(Responsible.RETRY, "It waited.", "Wait.", attempt=2, deaths=1))
    said = parse_message(settled(NotMountedError("It is not mounted", remedy="Mount it."), before).message)
    assert (said.attempt, said.deaths, said.what) == (2, 1, "It is not mounted.")


def test_to_be_stopped_leaves_the_row_as_it_was() -> None:
    before = format_message(ParsedMessage(Responsible.RETRY, "It waited.", "Wait.", attempt=2))
    assert settled(SystemExit(STOPPED), before) == Setback(Fate.INTERRUPTED, before)


def died(before: str) -> Setback:
    death = Death(TIF, KEY, "The job's process died (SIGKILL)", parse_message(before).deaths + 1)
    verdicts = (policy.judge_death(death) for policy in load_policies())
    return after_death(first_verdict(verdicts, Verdict(Fate.CRASHED)), before)


def test_the_third_death_of_a_job_is_kept_as_its_error_whoever_died() -> None:
    fates, before = [], ""
    for _ in range(3):
        setback = died(before)
        before = setback.message
        fates.append(setback.fate)
    assert fates == [Fate.CRASHED, Fate.CRASHED, Fate.ERROR]
    said = parse_message(before)
    assert said.what == "The job's process died (SIGKILL), 3 times in a row."
    assert said.responsible is Responsible.ADMINISTRATOR


def test_the_death_of_a_process_that_a_job_started_counts_as_its_own() -> None:
    killed = ProcessKilledError("Suite2p was killed", found="SIGKILL", remedy="Give it less.")
    first = settled(killed)
    second = died(first.message)
    third = settled(killed, second.message)
    assert [setback.fate for setback in (first, second, third)] == [Fate.CRASHED, Fate.CRASHED, Fate.ERROR]
    said = parse_message(third.message)
    assert said.what == "Suite2p was killed. Found: SIGKILL. (3 of its processes died in a row)"
    assert (said.remedy, said.responsible) == ("Give it less.", Responsible.ADMINISTRATOR)


def test_a_death_and_a_retry_are_counted_apart() -> None:
    error = StillCopyingError("Files are still being copied", remedy="Nothing; it waits.")
    said = parse_message(settled(error, died(settled(error).message).message).message)
    assert (said.attempt, said.deaths) == (3, 1)


def test_a_missing_package_keeps_the_worker_from_that_table_only() -> None:
    policies = load_policies()
    for policy in policies:
        policy.after_job(Finished("module:Suite2Py", KEY, Fate.UNABLE, "Suite2p is not installed."))
    assert [reason for policy in policies if (reason := policy.why_not("module:Suite2Py"))] == [
        "Suite2p is not installed."
    ]
    assert not any(policy.why_not(TIF) for policy in policies)


def enough(settings: Settings, *fates: Fate, num_running: int = 0) -> list[str]:
    policies = load_policies(settings)
    for fate in fates:
        for policy in policies:
            policy.after_job(Finished(TIF, KEY, fate))
    return [reason for policy in policies if (reason := policy.enough(num_running))]


def test_a_worker_with_a_number_of_jobs_counts_those_that_run_and_none_that_was_anothers() -> None:
    two = Settings(max_jobs=2)
    assert enough(two, Fate.DONE, Fate.RACED, Fate.ELSEWHERE) == []
    assert enough(two, Fate.DONE, Fate.ERROR) == ["--max-jobs 2"]
    assert enough(two, Fate.DONE, num_running=1) == ["--max-jobs 2"]


def test_a_worker_with_a_number_of_hours_begins_nothing_after_them() -> None:
    assert enough(Settings(max_hours=1)) == []
    assert enough(Settings(max_hours=1e-12)) == ["--max-hours 1e-12"]
