"""One policy a file; `imaging_pipeline.workers.policy.load_policies` finds them by themselves."""
