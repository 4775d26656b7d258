"""Whether there is a browser to test with."""

from __future__ import annotations

import shutil

CHROMIUM = shutil.which("chromium")
