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
from imaging_pipeline.workers.failed_attempt import FailedAttempt, after_death, after_error
from imaging_pipeline.workers.messages import Finished, Key, Outcome
from imaging_pipeline.workers.pipe import STOPPED
from imaging_pipeline.workers.policies.policy import (
    Death,
    KeyGoneError,
    RetryDecision,
    first_decision,
    load_policies,
)
from imaging_pipeline.workers.settings import Settings

TIF = "imaging_pipeline.schemas.imaging:Tif"
KEY: Key = {"session_name": "0123456789abcdef"}


def decided(error: BaseException) -> RetryDecision:
    decisions = [decision for policy in load_policies() if (decision := policy.decide(error))]
    assert len(decisions) <= 1
    return decisions[0] if decisions else RetryDecision(Outcome.ERROR)


def settled(error: BaseException, before: str = "") -> FailedAttempt:
    return after_error(error, decided(error), before)


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
    ("error", "outcome", "responsible"),
    [
        (DAMAGED, Outcome.ERROR, Responsible.EXPERIMENTER),
        (ImportError("numpy"), Outcome.ERROR, Responsible.DEVELOPER),
        (SystemExit(3), Outcome.ERROR, Responsible.DEVELOPER),
        (SystemExit(STOPPED), Outcome.INTERRUPTED, None),
        (KeyboardInterrupt(), Outcome.INTERRUPTED, None),
        (StillCopyingError("Still being copied", remedy="Nothing."), Outcome.WAITING, Responsible.RETRY),
        (
            RunError("The share is away", remedy="Mount it.", responsible=Responsible.RETRY),
            Outcome.WAITING,
            Responsible.RETRY,
        ),
        (NotMountedError("Not mounted", remedy="Mount it."), Outcome.ELSEWHERE, Responsible.ADMINISTRATOR),
        (
            NotMountedError("The folder is gone", remedy="Mount it.", responsible=Responsible.RETRY),
            Outcome.WAITING,
            Responsible.RETRY,
        ),
        (MissingPackageError("No Suite2p", remedy="Install it."), Outcome.UNABLE, Responsible.ADMINISTRATOR),
        (MissingWeightsError("No weights", remedy="Get them."), Outcome.ELSEWHERE, Responsible.ADMINISTRATOR),
        (ProcessKilledError("Suite2p was killed", remedy="Less."), Outcome.CRASHED, Responsible.RETRY),
        (OSError(errno.EIO, "Input/output error"), Outcome.WAITING, Responsible.RETRY),
        (OSError(errno.ETIMEDOUT, "Connection timed out"), Outcome.WAITING, Responsible.RETRY),
        (OSError(errno.ENOSPC, "No space left on device"), Outcome.WAITING, Responsible.RETRY),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Outcome.WAITING, Responsible.RETRY),
        (WindowsOSError(59), Outcome.WAITING, Responsible.RETRY),
        (WindowsOSError(112), Outcome.WAITING, Responsible.RETRY),
        (
            caused(DAMAGED.of("a.tif", Responsible.EXPERIMENTER), OSError(errno.ESTALE, "")),
            Outcome.WAITING,
            Responsible.RETRY,
        ),
        (
            caused(DAMAGED.of("b.tif", Responsible.EXPERIMENTER), ValueError()),
            Outcome.ERROR,
            Responsible.EXPERIMENTER,
        ),
        (
            caused(StoreError("The disk is full", remedy="Make room."), OSError(errno.ENOSPC, "")),
            Outcome.WAITING,
            Responsible.RETRY,
        ),
        (OSError(errno.ENOENT, "No such file or directory"), Outcome.ERROR, Responsible.DEVELOPER),
        (PermissionError(errno.EACCES, "Permission denied"), Outcome.ERROR, Responsible.ADMINISTRATOR),
        (WindowsOSError(5), Outcome.ERROR, Responsible.DEVELOPER),
        (MemoryError(), Outcome.ERROR, Responsible.ADMINISTRATOR),
        (AccessError("Insufficient privileges."), Outcome.ERROR, Responsible.ADMINISTRATOR),
        (LostConnectionError("gone"), Outcome.DISCONNECTED, Responsible.RETRY),
        (OperationalError(2003, "Can't connect to MySQL server"), Outcome.DISCONNECTED, Responsible.RETRY),
        (OperationalError(1053, "Server shutdown in progress"), Outcome.DISCONNECTED, Responsible.RETRY),
        (OperationalError(1205, "Lock wait timeout exceeded"), Outcome.WAITING, Responsible.RETRY),
        (PostgreSQLError("57P01"), Outcome.DISCONNECTED, Responsible.RETRY),
        (PostgreSQLError("08006"), Outcome.DISCONNECTED, Responsible.RETRY),
        (PostgreSQLError("40P01"), Outcome.WAITING, Responsible.RETRY),
        (PostgreSQLError("55P03"), Outcome.WAITING, Responsible.RETRY),
        (PostgreSQLError("23001"), Outcome.WAITING, Responsible.RETRY),
        (PostgreSQLError("23505"), Outcome.ERROR, Responsible.DEVELOPER),
        (wrapped(PostgreSQLError("23503")), Outcome.WAITING, Responsible.RETRY),
        (
            wrapped(RuntimeError(1451, "Cannot delete or update a parent row")),
            Outcome.WAITING,
            Responsible.RETRY,
        ),
        (RuntimeError(1213, "Deadlock found"), Outcome.WAITING, Responsible.RETRY),
        (RuntimeError(1062, "Duplicate entry"), Outcome.ERROR, Responsible.DEVELOPER),
        (DataJointError("The `make_fetch` data has changed"), Outcome.WAITING, Responsible.RETRY),
        (KeyGoneError("What it was made from is no more."), Outcome.GONE, None),
    ],
    ids=lambda each: repr(each) if isinstance(each, BaseException) else str(each),
)
def test_an_error_decides_what_becomes_of_its_job_and_its_row_says_who_is_responsible(
    error: BaseException, outcome: Outcome, responsible: Responsible | None
) -> None:
    attempt = settled(error)
    assert attempt.outcome is outcome
    if responsible is not None:
        message = parse_message(attempt.message)
        assert (message.responsible, message.kind) == (responsible, type(error).__name__)
        assert message.remedy


def test_an_error_of_the_pipeline_stays_in_its_own_words() -> None:
    assert settled(DAMAGED).message == f"FormatError: {DAMAGED}"


def test_an_unforeseen_error_is_a_bug_and_says_what_to_send() -> None:
    attempt = settled(ValueError("cannot reshape array"))
    assert attempt.message.startswith("ValueError: cannot reshape array. What to do: Send ")
    assert attempt.message.endswith("A bug: please report it.")


def test_what_waits_is_left_alone_longer_each_time_and_never_longer_than_a_quarter_of_an_hour() -> None:
    error = StillCopyingError("Files are still being copied", remedy="Nothing; it waits.")
    pauses_s, before = [], ""
    for _ in range(8):
        attempt = settled(error, before)
        before = attempt.message
        pauses_s.append(attempt.pause_s)
    assert pauses_s == [60, 60, 120, 240, 480, 900, 900, 900]
    assert parse_message(before).attempt == 8
    assert before.endswith("It is tried again by itself.")


def test_a_deadlock_is_tried_again_at_once_and_then_after_pauses() -> None:
    pauses_s, before = [], ""
    for _ in range(6):
        attempt = settled(PostgreSQLError("40P01"), before)
        before = attempt.message
        pauses_s.append(attempt.pause_s)
    assert pauses_s[:3] == [0, 0, 0]
    assert pauses_s[3:] == sorted(pauses_s[3:])
    assert pauses_s[3] > 0


def test_a_row_that_is_still_referred_to_is_an_error_in_the_end() -> None:
    outcomes, before = [], ""
    for _ in range(5):
        attempt = settled(wrapped(PostgreSQLError("23503")), before)
        before = attempt.message
        outcomes.append(attempt.outcome)
    assert outcomes == [Outcome.WAITING] * 4 + [Outcome.ERROR]
    assert "(tried 5 times)" in before
    assert parse_message(before).attempt == 0


def test_what_another_machine_may_do_does_not_count_as_an_attempt() -> None:
    before = format_message(ParsedMessage(Responsible.RETRY, "It waited.", "Wait.", attempt=2, deaths=1))
    message = parse_message(settled(NotMountedError("It is not mounted", remedy="Mount it."), before).message)
    assert (message.attempt, message.deaths, message.what) == (2, 1, "It is not mounted.")


def test_to_be_stopped_leaves_the_row_as_it_was() -> None:
    before = format_message(ParsedMessage(Responsible.RETRY, "It waited.", "Wait.", attempt=2))
    assert settled(SystemExit(STOPPED), before) == FailedAttempt(Outcome.INTERRUPTED, before)


def died(before: str) -> FailedAttempt:
    death = Death(TIF, KEY, "The job's process died (SIGKILL)", parse_message(before).deaths + 1)
    decisions = (policy.decide_death(death) for policy in load_policies())
    return after_death(first_decision(decisions, RetryDecision(Outcome.CRASHED)), before)


def test_the_third_death_of_a_job_is_kept_as_its_error_whoever_died() -> None:
    outcomes, before = [], ""
    for _ in range(3):
        attempt = died(before)
        before = attempt.message
        outcomes.append(attempt.outcome)
    assert outcomes == [Outcome.CRASHED, Outcome.CRASHED, Outcome.ERROR]
    message = parse_message(before)
    assert message.what == "The job's process died (SIGKILL), 3 times in a row."
    assert message.responsible is Responsible.ADMINISTRATOR


def test_the_death_of_a_process_that_a_job_started_counts_as_its_own() -> None:
    killed = ProcessKilledError("Suite2p was killed", found="SIGKILL", remedy="Give it less.")
    first = settled(killed)
    second = died(first.message)
    third = settled(killed, second.message)
    assert [attempt.outcome for attempt in (first, second, third)] == [
        Outcome.CRASHED,
        Outcome.CRASHED,
        Outcome.ERROR,
    ]
    message = parse_message(third.message)
    assert message.what == "Suite2p was killed. Found: SIGKILL. (3 of its processes died in a row)"
    assert (message.remedy, message.responsible) == ("Give it less.", Responsible.ADMINISTRATOR)


def test_a_death_and_a_retry_are_counted_apart() -> None:
    error = StillCopyingError("Files are still being copied", remedy="Nothing; it waits.")
    message = parse_message(settled(error, died(settled(error).message).message).message)
    assert (message.attempt, message.deaths) == (3, 1)


def test_a_missing_package_keeps_the_worker_from_that_table_only() -> None:
    policies = load_policies()
    for policy in policies:
        policy.after_job(Finished("module:Suite2Py", KEY, Outcome.UNABLE, "Suite2p is not installed."))
    assert [reason for policy in policies if (reason := policy.skip_reason("module:Suite2Py"))] == [
        "Suite2p is not installed."
    ]
    assert not any(policy.skip_reason(TIF) for policy in policies)


def end_reasons(settings: Settings, *outcomes: Outcome, num_running: int = 0) -> list[str]:
    policies = load_policies(settings)
    for outcome in outcomes:
        for policy in policies:
            policy.after_job(Finished(TIF, KEY, outcome))
    return [reason for policy in policies if (reason := policy.end_reason(num_running))]


def test_a_worker_with_a_number_of_jobs_counts_those_that_run_and_none_that_was_anothers() -> None:
    two = Settings(max_jobs=2)
    assert end_reasons(two, Outcome.DONE, Outcome.RACED, Outcome.ELSEWHERE) == []
    assert end_reasons(two, Outcome.DONE, Outcome.ERROR) == ["--max-jobs 2"]
    assert end_reasons(two, Outcome.DONE, num_running=1) == ["--max-jobs 2"]


def test_a_worker_with_a_number_of_hours_begins_nothing_after_them() -> None:
    assert end_reasons(Settings(max_hours=1)) == []
    assert end_reasons(Settings(max_hours=1e-12)) == ["--max-hours 1e-12"]
