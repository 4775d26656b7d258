"""What a job's row says where it was not made: the reason, whose move it is, and how often it was tried."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imaging_pipeline.errors import ParsedMessage, PipelineError, Responsible, format_message, parse_message
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policies.policy import Verdict

_REPORT = "Send the job's key and what error_stack in its row says to who looks after the pipeline."


@dataclass(frozen=True)
class Setback:
    """How a job that was not made is settled.

    Attributes
    ----------
    fate
        Of the job.
    message
        For its row.
    pause_s
        How long it is left alone where it is pending again.
    reason
        What happened, and what to do, for the log.
    """

    fate: Fate
    message: str = ""
    pause_s: float = 0.0
    reason: str = ""


def explain(error: BaseException, verdict: Verdict) -> ParsedMessage:
    """Return what an error says, in the verdict's words where it has any; an error of nobody's is a bug."""
    said = parse_message(str(error))
    if not isinstance(error, PipelineError):
        said = ParsedMessage(Responsible.DEVELOPER, _sentence(str(error)), _REPORT)
    return ParsedMessage(
        verdict.responsible or (Responsible.RETRY if _is_tried_again(verdict.fate) else said.responsible),
        verdict.what or said.what,
        verdict.remedy or said.remedy,
        type(error).__name__,
    )


def after_error(error: BaseException, verdict: Verdict, before: str) -> Setback:
    """Settle a job that raised.

    Parameters
    ----------
    error
        What it raised.
    verdict
        What the policies say of it.
    before
        The message in the job's row, which knows of earlier attempts.
    """
    said, earlier = explain(error, verdict), parse_message(before)
    attempt, deaths = earlier.attempt + 1, earlier.deaths + bool(verdict.max_deaths)
    if verdict.max_deaths and deaths >= verdict.max_deaths:
        said = explain(error, Verdict(Fate.ERROR))
        said = replace(said, what=f"{said.what} ({deaths} of its processes died in a row)")
        return Setback(Fate.ERROR, format_message(said), 0.0, _reason(said))
    if verdict.max_attempts and attempt >= verdict.max_attempts:
        final = replace(verdict, fate=Fate.ERROR, what=f"{said.what} (tried {attempt} times)")
        said = explain(error, final)
        return Setback(Fate.ERROR, format_message(said), 0.0, _reason(said))
    if verdict.fate is Fate.ERROR:
        return Setback(Fate.ERROR, format_message(said), 0.0, _reason(said))
    if verdict.fate is Fate.INTERRUPTED:
        return Setback(verdict.fate, before, 0.0, "")
    if verdict.fate in (Fate.UNABLE, Fate.ELSEWHERE):
        # That this machine cannot do it says nothing of the job: others have not tried it.
        kept = replace(said, attempt=earlier.attempt, deaths=earlier.deaths)
        return Setback(verdict.fate, format_message(kept), 0.0, _reason(said))
    said = replace(said, attempt=attempt, deaths=deaths)
    return Setback(verdict.fate, format_message(said), _pause_s(verdict, attempt), _reason(said))


def after_death(verdict: Verdict, before: str) -> Setback:
    """Settle a job whose process died; the verdict says how."""
    earlier = parse_message(before)
    if verdict.fate is Fate.INTERRUPTED:
        return Setback(verdict.fate, before, 0.0, "")
    said = ParsedMessage(verdict.responsible or Responsible.RETRY, verdict.what, verdict.remedy)
    if verdict.fate is Fate.ERROR:
        return Setback(verdict.fate, format_message(said), 0.0, _reason(said))
    said = replace(said, attempt=earlier.attempt + 1, deaths=earlier.deaths + 1)
    return Setback(verdict.fate, format_message(said), _pause_s(verdict, said.deaths), _reason(said))


def _sentence(words: str) -> str:
    return words if not words or words[-1] in ".!?" else f"{words}."


def _is_tried_again(fate: Fate) -> bool:
    return fate in (Fate.WAITING, Fate.DISCONNECTED, Fate.CRASHED)


def _pause_s(verdict: Verdict, attempt: int) -> float:
    return verdict.pauses_s[min(attempt, len(verdict.pauses_s)) - 1]


def _reason(said: ParsedMessage) -> str:
    return format_message(replace(said, kind="", attempt=0, deaths=0))
