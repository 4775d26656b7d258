"""Keep the animals as the colony system has them; takes ``--once`` or ``--loop``."""

import sys

from batch_populate.command import main

if __name__ == "__main__":
    main(["mlims", *sys.argv[1:]])
