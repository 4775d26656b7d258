"""What a job's row says where it was not made: the reason, who is responsible, and how often it was tried."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imaging_pipeline.errors import ParsedMessage, PipelineError, Responsible, format_message, parse_message
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.policy import RetryDecision

_REPORT = "Send the job's key and what error_stack in its row says to who looks after the pipeline."


@dataclass(frozen=True)
class FailedAttempt:
    """How a job that was not made is settled.

    Attributes
    ----------
    outcome
        Of the job.
    message
        For its row.
    pause_s
        How long it is left alone where it is pending again.
    reason
        What happened, and what to do, for the log.
    """

    outcome: Outcome
    message: str = ""
    pause_s: float = 0.0
    reason: str = ""


def after_error(error: BaseException, decision: RetryDecision, before: str) -> FailedAttempt:
    """Return how a job that raised is settled.

    Parameters
    ----------
    error
        What it raised.
    decision
        What the policies decided.
    before
        The message in the job's row, which counts earlier attempts.
    """
    message, earlier = _explained(error, decision), parse_message(before)
    attempt, deaths = earlier.attempt + 1, earlier.deaths + bool(decision.max_deaths)
    # The error's own words say what a person can do about it; the decision's only that it is tried again.
    if decision.max_deaths and deaths >= decision.max_deaths:
        message = _explained(error, RetryDecision(Outcome.ERROR))
        return _error(replace(message, what=f"{message.what} ({deaths} of its processes died in a row)"))
    if decision.max_attempts and attempt >= decision.max_attempts:
        final = replace(decision, outcome=Outcome.ERROR, what=f"{message.what} (tried {attempt} times)")
        return _error(_explained(error, final))
    if decision.outcome is Outcome.ERROR:
        return _error(message)
    # To be stopped is no attempt: what the row counts stays as it is.
    if decision.outcome is Outcome.INTERRUPTED:
        return FailedAttempt(decision.outcome, before)
    if decision.outcome in (Outcome.UNABLE, Outcome.ELSEWHERE):
        # That this machine cannot do it says nothing about the job: others have not tried it.
        uncounted = replace(message, attempt=earlier.attempt, deaths=earlier.deaths)
        return FailedAttempt(decision.outcome, format_message(uncounted), 0.0, _reason(message))
    message = replace(message, attempt=attempt, deaths=deaths)
    pause_s = _pause_s(decision, attempt)
    return FailedAttempt(decision.outcome, format_message(message), pause_s, _reason(message))


def after_death(decision: RetryDecision, before: str) -> FailedAttempt:
    """Return how a job whose process died is settled, by what the policies decided."""
    if decision.outcome is Outcome.INTERRUPTED:
        return FailedAttempt(decision.outcome, before)
    message = ParsedMessage(decision.responsible or Responsible.RETRY, decision.what, decision.remedy)
    if decision.outcome is Outcome.ERROR:
        return _error(message)
    earlier = parse_message(before)
    message = replace(message, attempt=earlier.attempt + 1, deaths=earlier.deaths + 1)
    pause_s = _pause_s(decision, message.deaths)
    return FailedAttempt(decision.outcome, format_message(message), pause_s, _reason(message))


def _error(message: ParsedMessage) -> FailedAttempt:
    return FailedAttempt(Outcome.ERROR, format_message(message), 0.0, _reason(message))


def _explained(error: BaseException, decision: RetryDecision) -> ParsedMessage:
    """Return what an error says, in the decision's words where it has any; an unforeseen error is a bug."""
    message = parse_message(str(error))
    if not isinstance(error, PipelineError):
        message = ParsedMessage(Responsible.DEVELOPER, _sentence(str(error)), _REPORT)
    is_tried_again = decision.outcome in (Outcome.WAITING, Outcome.DISCONNECTED, Outcome.CRASHED)
    return ParsedMessage(
        decision.responsible or (Responsible.RETRY if is_tried_again else message.responsible),
        decision.what or message.what,
        decision.remedy or message.remedy,
        type(error).__name__,
    )


def _sentence(words: str) -> str:
    return words if not words or words[-1] in ".!?" else f"{words}."


def _pause_s(decision: RetryDecision, attempt: int) -> float:
    return decision.pauses_s[min(attempt, len(decision.pauses_s)) - 1]


def _reason(message: ParsedMessage) -> str:
    return format_message(replace(message, kind="", attempt=0, deaths=0))
