"""Suite2p's window, which says what it shows; ordered so, what it needs is not installed."""

import sys

from suite2p.orders import order

if order()["do"] == "lack pyqtgraph":
    raise ModuleNotFoundError("No module named 'pyqtgraph'", name="pyqtgraph")


def run(statfile):
    print("window of", statfile)
    sys.exit(0)
