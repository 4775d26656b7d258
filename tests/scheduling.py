"""Which of pytest's processes runs a test."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# The tests of each module or folder share what takes longer to make than to look at, or take longest by far,
# so that they begin early, and keep so many processes busy that one at a time is enough.
_TOGETHER = (
    "tests/database/test_chaos.py",
    "tests/database/test_database_failures.py",
    "tests/database/test_demo_laboratory.py",
    "tests/database/test_earlier_versions.py",
    "tests/database/test_import.py",
    "tests/database/test_mysql_statements.py",
    "tests/database/test_round_trips.py",
    "tests/database/test_upgrade.py",
    "tests/end_to_end/test_path.py",
    "tests/web/browser/",
)


class Scheduling(LoadScopeScheduling):
    """Gives each test to a process that has time, and those that stay together to one, before all others."""

    def _split_scope(self, nodeid: str) -> str:
        return next((shared for shared in _TOGETHER if nodeid.startswith(shared)), nodeid)
