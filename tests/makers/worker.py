"""One job as a worker makes it, in the process of the test."""

from __future__ import annotations

from typing import Any

from imaging_pipeline.workers.insertion import fence
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.policy import RetryDecision, first_decision, load_policies
from imaging_pipeline.workers.reservation import FencedJobs

Row = dict[str, Any]


def worked(table: Any, key: Row) -> Row:
    """Populate one key of a table under the workers' policies, and return the row of its job."""
    policies = load_policies()

    def decide(error: BaseException) -> RetryDecision:
        decisions = (policy.decide(error) for policy in policies)
        return first_decision(decisions, RetryDecision(Outcome.ERROR))

    jobs = FencedJobs(table, "tester", decide, lambda _key: None, lambda: None)
    fence(table, jobs, decide)
    jobs.refresh(delay=-1)
    table.populate(key, reserve_jobs=True, refresh=False, suppress_errors=True)
    job: Row = (jobs & key).fetch1()
    return job
