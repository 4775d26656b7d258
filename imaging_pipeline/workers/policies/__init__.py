"""What becomes of jobs that were not made. One policy a file; `policy.load_policies` finds them by itself."""
