"""Two people who work on one folder in turn, and the workers that carry out what they ask for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from imaging_pipeline.errors import PipelineError, Responsible
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs, tables
from imaging_pipeline.schemas.administer import store_sweep
from imaging_pipeline.schemas.administer.administration import add_options, add_user
from imaging_pipeline.schemas.register import requests, retire
from imaging_pipeline.schemas.register.consent import Consent, consent_to
from tests.makers.killed import killed
from tests.makers.lab import Lab
from tests.makers.notes import note_all_cells
from tests.makers.stand_in_suite2p import StandIn
from tests.makers.suite2p_runs import RIGID
from tests.makers.walks.share import Share
from tests.makers.walks.work import Work, check_jobs, check_traces, imported_cells

OPTIONS = {"fast": RIGID, "equal": RIGID | {"tau": 1.0, "nplanes": 1}, "slow": RIGID | {"tau": 2.0}}
PEOPLE = ("anna", "ben")
ANIMALS = ("90218", "90853")
_TWO_DAYS_S = 2 * 86_400
# Longer than any registration of the folder.
_KILLED_WITHIN_S = 0.4

Inputs = dict[str, Any]


class People:
    """The laboratory, and what is done there; every step is printed and changes what there is.

    Parameters
    ----------
    lab, stand_in
        Its database and share, and what stands in for Suite2p.
    chance
        Decides on everything.
    """

    def __init__(self, lab: Lab, stand_in: StandIn, chance: Random) -> None:
        self._lab = lab
        self._stand_in = stand_in
        self._chance = chance
        self._share = Share(lab.share, chance)
        self._seen: list[tuple[Inputs, Consent]] = []
        self._work = Work.now(lab)
        for name, options in OPTIONS.items():
            add_options(tables.default_tables(), name, options)
        add_user(tables.default_tables(), PEOPLE[1])
        mlims.Animal.insert1({"animal_id": "b7", "datasource_id": 0, "animal_name": ANIMALS[1]})
        self._begin()

    def _begin(self) -> None:
        """Let a folder have an output that is imported, curated and noted."""
        inputs = self._inputs(combined=True, ops_name="fast", animal=ANIMALS[0])
        if self._chance.random() < 0.7:
            self._share.output_by_hand()
            inputs["ops_name"] = self._chance.choice((None, "fast"))
        self._ask(inputs, {})
        self.work()
        self._share.curate()
        self._ask(inputs, self._look(inputs))
        self.work()
        note_all_cells()

    def step(self) -> None:
        """Do one of the things that people do, and check what is left of their work."""
        steps = {
            self.register: 5,
            self._share.curate: 4,
            note_all_cells: 3,
            self.look: 2,
            self.agree: 2,
            self.retire: 2,
            self._share.copy: 2,
            self._share.rename_output: 4,
            self._share.rename_folder: 1,
            self._share.undo: 2,
            self.work: 2,
            self.kill_run: 1,
            self.kill_registration: 1,
            self.sweep: 1,
            self._share.output_by_hand: 1,
        }
        (step,) = self._chance.choices(list(steps), list(steps.values()))
        print(step.__name__)
        harmless = (self._share.copy, self._share.rename_output, self._share.rename_folder)
        with self._adds_no_loss() if step in harmless else nullcontext():
            step()
        self._check_lost(None, step.__name__)
        check_traces(step.__name__)
        check_jobs(step.__name__)

    # What people ask the database for.

    def register(self) -> None:
        """Look at what a request would do, and agree or not; workers carry it out, now or later."""
        inputs, waiting = self._inputs(), self._waiting()
        consent = self._look(inputs)
        if consent is not None and self._chance.random() < 0.8:
            request = self._ask(inputs, consent)
            if not waiting:
                self._carry_out(request)
                # Nobody did anything since the preview, which so must have shown all.
                assert imaging.MakeDatasetSessions & {"basefolder_id": request}, self._error(request)
            # People go on while Suite2p runs, and while a request waits.
            if self._chance.random() < 0.5:
                self._share.curate()
            if self._chance.random() < 0.8:
                self.work()

    def look(self) -> None:
        """Look at what a request would do, and agree to it when somebody else has done something."""
        inputs = self._inputs()
        consent = self._look(inputs)
        if consent is not None:
            self._seen.append((inputs, consent))

    def agree(self) -> None:
        """Agree to what was shown a while ago."""
        if self._seen:
            self._ask(*self._seen.pop(0))
            self.work()

    def retire(self) -> None:
        """Retire all that is registered under a label, after a look at what is deleted."""
        names = sorted(set(imaging.MetaSession().to_arrays("metasession_name").tolist()))
        if not names:
            return
        name, handle = self._chance.choice(names), tables.default_tables()
        consent = consent_to(retire.preview(handle, name).purged)
        retire.retire(handle, name, username=self._person(), reason="wrong", consent=consent)
        self._check_lost(consent, f"{name}, retired")

    def sweep(self) -> None:
        """Sweep the store when all in it is old."""
        store = Path(self._lab.config.stores["main"]["location"])
        then = time.time() - _TWO_DAYS_S
        for path in store.rglob("*"):
            if path.is_file():
                os.utime(path, (then, then))
        _unless_refused(lambda: store_sweep.sweep(tables.default_tables()))

    # What workers do.

    def work(self) -> None:
        """Carry out all requests one by one, run Suite2p, and import; twice, as a run may request."""
        for _ in range(2):
            for request in self._waiting():
                self._carry_out(request)
            for table in (imaging.Tif, suite2p_jobs.Suite2Py, imaging.ImagingAnalysis, imaging.Cell):
                table.populate(reserve_jobs=True, suppress_errors=True)
            self._check_lost(None, "workers")

    def kill_run(self) -> None:
        """Let Suite2p be killed in the runs that are due; they are tried again when they are retried."""
        self._stand_in.order("kill", "registration")
        self.work()
        self._stand_in.order()
        (suite2p_jobs.Suite2Py.jobs & "status = 'error'").delete_quick()

    def kill_registration(self) -> None:
        """Kill the process that carries a request out."""
        inputs = self._inputs()
        consent = self._look(inputs)
        if consent is None:
            return
        request = self._ask(inputs, consent)
        killed(self._lab, request, self._chance.uniform(0, _KILLED_WITHIN_S))
        self._check_lost(consent, f"request {request}, killed")
        self.work()

    def _carry_out(self, request: int) -> None:
        key = {"basefolder_id": request}
        imaging.MakeDatasetSessions.populate(key, reserve_jobs=True, suppress_errors=True)
        consent = (imaging.BaseFolder & key).fetch1("consent")
        self._check_lost(consent, f"request {request}")
        if imaging.MakeDatasetSessions & key:
            self._check_named(request)
        else:
            # It waits for a person, and says why.
            assert self._error(request)

    def _error(self, request: int) -> str:
        """Return why a request was not carried out."""
        job = imaging.MakeDatasetSessions.jobs & {"basefolder_id": request, "status": "error"}
        return str(job.fetch1("error_message"))

    def _check_named(self, request: int) -> None:
        """Check that every output of the folder is registered, or named with what became of it."""
        key = {"basefolder_id": request}
        verdicts = imaging.MakeDatasetSessions.Output & key
        named = dict(zip(*verdicts.to_arrays("output_path", "output_verdict"), strict=True))
        folder = (imaging.BaseFolder & key).fetch1("folder")
        for plane in self._lab.share.joinpath(folder).rglob("plane0"):
            root = plane.parent.relative_to(self._lab.share).as_posix()
            if ".superseded-" not in root:
                assert root in named, f"request {request} does not name {root}"

    def finish(self) -> None:
        """Register again all that is registered, and check that it has the cells that people chose."""
        self.work()
        for registered in _registered():
            inputs = self._inputs(**registered, ops_name=None)
            consent = self._look(inputs)
            if consent is not None:
                self._ask(inputs, consent)
                self.work()
        files = imaging.PhysicalFile & "file_path LIKE '%%/iscell.npy'"
        for row in files.to_dicts():
            path = self._lab.share / row["file_path"]
            if path.is_file():
                chosen = frozenset(np.flatnonzero(np.load(path)[:, 0]).tolist())
                for cells in imported_cells(row["dataset_name"]):
                    assert cells == chosen, f"{row['file_path']}: {cells} are imported, {chosen} are chosen"

    # What the above have in common.

    def _check_lost(self, consent: Consent | None, what: str) -> None:
        """Check that since the last time no more was lost than the consent to what was done allows."""
        self._work = self._work.check_lost(self._lab, consent, what)

    @contextmanager
    def _adds_no_loss(self) -> Iterator[None]:
        """Check that registering again deletes no more afterwards than it would have deleted before."""
        before = self._would_lose()
        yield
        for registered, lost in self._would_lose().items():
            assert lost <= before.get(registered, lost), f"{registered}: {lost}, before: {before}"

    def _would_lose(self) -> dict[tuple[str, str], int]:
        """Return how many rows would be deleted, by animal and label of what is registered."""
        lost = {}
        for registered in _registered():
            consent = self._look(self._inputs(**registered, ops_name=None))
            if consent is not None:
                lost[registered["animal"], registered["combined"]] = sum(consent.values())
        return lost

    def _inputs(self, **fixed: Any) -> Inputs:
        """Return the inputs of a request, at random but for some."""
        chance = self._chance
        return {
            **self._lab.request(self._share.folder, combined=chance.random() < 0.8),
            "username": self._person(),
            "animal": ANIMALS[chance.random() < 0.15],
            "ops_name": chance.choice((None, "fast", "fast", "equal", "slow")),
            "register_uncurated": chance.random() < 0.8,
            **fixed,
        }

    def _person(self) -> str:
        return self._chance.choice(PEOPLE)

    def _look(self, inputs: Inputs) -> Consent | None:
        """Return what a person agrees to who is shown a preview; None where there is none."""
        shown = _unless_refused(lambda: imaging.BaseFolder.preview(**inputs))
        return None if shown is None else consent_to(shown.purged)

    def _ask(self, inputs: Inputs, consent: Mapping[str, int] | None) -> int:
        print("  request", {name: inputs[name] for name in ("animal", "combined", "ops_name")}, consent)
        (number,) = requests.insert(tables.default_tables(), [inputs], consent=consent or {})
        return number

    def _waiting(self) -> list[int]:
        """Return the requests that workers carry out, in their order."""
        failed = imaging.MakeDatasetSessions.jobs & "status = 'error'"
        waiting = imaging.BaseFolder - imaging.MakeDatasetSessions
        numbers = set(waiting.to_arrays("basefolder_id").tolist())
        return sorted(numbers - set(failed.to_arrays("basefolder_id").tolist()))


def _registered() -> list[Inputs]:
    """Return animal and label of what is registered."""
    rows = {(row["animal_id"], row["combined"]) for row in imaging.MetaSession().to_dicts()}
    return [{"animal": animal, "combined": combined} for animal, combined in sorted(rows)]


def _unless_refused(act: Callable[[], Any]) -> Any:
    """Return what comes of an act; None where it is refused, which must be no bug."""
    try:
        return act()
    except PipelineError as error:
        if error.responsible is Responsible.DEVELOPER:
            raise
        print("  refused:", error)
        return None
