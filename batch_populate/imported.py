"""Import what is registered; takes ``--once`` or ``--loop``."""

import sys

from batch_populate.command import main

if __name__ == "__main__":
    main(["imported", *sys.argv[1:]])
