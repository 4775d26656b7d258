"""Whether this machine and the lab's database are as the pipeline needs them; one subject, one module."""
