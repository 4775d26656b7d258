"""Run Suite2p on what is registered for it; takes ``--once`` or ``--loop``."""

import sys

from batch_populate.command import main

if __name__ == "__main__":
    main(["suite2p", *sys.argv[1:]])
