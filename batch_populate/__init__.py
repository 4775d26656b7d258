"""Workers from the command line: ``python -m batch_populate --once | --loop``."""
