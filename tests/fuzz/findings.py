"""What is kept of findings: the file that shows each, and what was wrong with it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.fuzz.child import Ended, Limits, Sample, Task
from tests.fuzz.inputs import Input, make_input
from tests.fuzz.runner import run_tasks
from tests.makers.registered_readers import RegisteredReader

# Of one cause; the others are counted.
_MOST_KEPT = 3


class Findings:
    """Findings by reader and kind, with files that show them in a folder."""

    def __init__(self, readers: Sequence[RegisteredReader], limits: Limits, folder: Path) -> None:
        self._readers = {reader.name: reader for reader in readers}
        self._limits = limits
        self._files: dict[str, dict[Path, bytes]] = {}
        self._folder = folder
        self.counts: Counter[tuple[str, str]] = Counter()
        self.files: dict[tuple[str, str], list[Path]] = {}

    def add(self, ended: Ended) -> None:
        """Count a finding, and keep the files of the first few of its kind, the first one simplified."""
        key = ended.task.reader, ended.verdict.kind
        self.counts[key] += 1
        held = self.files.setdefault(key, [])
        if not held:
            held.append(self._keep(self._smallest(ended)))
        elif len(held) < _MOST_KEPT:
            held.append(self._keep(ended))

    def _smallest(self, ended: Ended) -> Ended:
        """Return the same finding by one mutation alone, where one is enough."""
        num_mutations = len(self._made(ended.task).mutations)
        if num_mutations < 2:
            return ended
        alone = [
            Task(ended.task.reader, replace(ended.task.which, only=(number,)))
            for number in range(num_mutations)
        ]
        reader = self._readers[ended.task.reader]
        same = [
            one
            for one in run_tasks([reader], alone, self._limits, 1)
            if one.verdict.kind == ended.verdict.kind
        ]
        return same[0] if same else ended

    def _made(self, task: Task) -> Input:
        reader = self._readers[task.reader]
        if reader.name not in self._files:
            with tempfile.TemporaryDirectory() as folder:
                self._files[reader.name] = Sample(reader, Path(folder) / reader.name).files
        return make_input(reader, self._files[reader.name], task.which)

    def _keep(self, ended: Ended) -> Path:
        made = self._made(ended.task)
        which = ended.task.which
        path = self._folder / f"{ended.task.reader}-{which.seed}-{which.number}" / made.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.content)
        about = f"{ended.task}\n{', '.join(made.mutations)}\n{ended.verdict.kind}\n{ended.verdict.details}\n"
        path.with_name("finding.txt").write_text(about, encoding="utf-8", errors="replace")
        return path
