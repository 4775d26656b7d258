"""One job as a worker makes it, in the process of the test."""

from __future__ import annotations

from typing import Any

from imaging_pipeline.workers.insertion import fence
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policies.policy import Verdict, load_policies
from imaging_pipeline.workers.reservation import Duties, FencedJobs

Row = dict[str, Any]


def worked(table: Any, key: Row) -> Row:
    """Populate one key of a table under the workers' policies, and give the row of its job."""
    policies = load_policies()

    def judge(error: BaseException) -> Verdict:
        verdicts = (policy.judge(error) for policy in policies)
        return next((verdict for verdict in verdicts if verdict), Verdict(Fate.ERROR))

    jobs = FencedJobs(table, Duties("tester", judge, lambda _key: None))
    fence(table, jobs, judge)
    jobs.refresh(delay=-1)
    table.populate(key, reserve_jobs=True, refresh=False, suppress_errors=True)
    job: Row = (jobs & key).fetch1()
    return job
