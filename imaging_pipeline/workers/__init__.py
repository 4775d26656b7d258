"""Workers: a supervisor, its one job process, and each policy in a small file."""
