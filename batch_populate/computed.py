"""Compute on what is imported; takes ``--once`` or ``--loop``."""

import sys

from batch_populate.command import main

if __name__ == "__main__":
    main(["computed", *sys.argv[1:]])
