"""Stands in for Suite2p 1.1.0: run in a fraction of a second, and failing when it is told to.

What the pipeline uses of Suite2p is here under its names. Files, log and errors look as the real ones do.
"""

from imaging_pipeline.suite2p_runner.known_options import default_settings
from suite2p import extraction
from suite2p.run_s2p import run_s2p

__all__ = ["default_settings", "extraction", "run_s2p", "version"]

version = "1.1.0"
