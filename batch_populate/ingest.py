"""Register requested folders; takes ``--once`` or ``--loop``."""

import sys

from batch_populate.command import main

if __name__ == "__main__":
    main(["ingest", *sys.argv[1:]])
