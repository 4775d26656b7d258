"""One policy a file; `imaging_pipeline.workers.policies.policy.load_policies` finds them by themselves."""
