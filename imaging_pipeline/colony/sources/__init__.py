"""Sources of animals; one kind, one module, all in `registry`."""
