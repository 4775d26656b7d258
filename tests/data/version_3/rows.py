"""What people and workers write into the database of the dump, step by step."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import datajoint as dj
import numpy as np
from folders import DEMO, FOLDERS, MINISCOPE, Folder

from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sync import sync
from imaging_pipeline.errors import Move, PipelineError, Told, message
from imaging_pipeline.lanes import Need
from imaging_pipeline.living_worker import Lack
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import administration, people
from imaging_pipeline.schemas.administer import sign_in as signing_in
from imaging_pipeline.schemas.administer.change_log import kept_change, utc_now
from imaging_pipeline.schemas.administer.session_notes import add_note, set_apparatus, set_types
from imaging_pipeline.schemas.jobs.actions import Action, act
from imaging_pipeline.schemas.jobs.selection import Selection
from imaging_pipeline.schemas.register import requests as request_rows
from imaging_pipeline.schemas.register import retire
from imaging_pipeline.schemas.register.consent import Consent
from tests.makers.furnished import PARTS
from tests.makers.lab import ROOT
from tests.makers.living import add_worker
from tests.makers.suite2p_output import OPTIONS_0X

PRIVATE_SCHEMA = "user_anna_x"
COLONY_HEADER = (
    "animal_id,animal_name,animal_species,animal_sex,animal_dob,color,strain,background_strain,generation,"
    "litter,purpose,death_date,death_cause,animal_notes,genotype:Cre"
)
COLONY = (
    "a0f1,90218,mouse,female,2023-11-02,black,Ai95,C57BL/6J,F3,L7,grid cells,,,shy,het",
    "b1,90299,mouse,male,2023-11-02,agouti,Ai95,C57BL/6J,F3,L7,grid cells,2024-06-01,old,,wt",
    "b3,90302,rat,unknown,,,,,,,,,,,",
)
COLONY_LATER = (
    COLONY[0],
    COLONY[1].replace("90299", "90299b"),
    "b4,90303,rat,perhaps,,,,,,,,,,,",
)
MORE_PARTS = PARTS | {
    "Tracking2D": {
        "header": 3,
        "timebase": 0.001,
        "time": "cam_timestamp",
        "led1_x": "green_x",
        "led1_y": "green_y",
        "led2_x": "red_x",
        "led2_y": "red_y",
    },
    "Treadmill": {"calibration": 0.15},
    "Scanimage": {"machine_file": "% Machine data file\nscannerType = 'resonant';\n"},
}
# Rows that people insert themselves, and what they say of them for a session.
BY_HAND: dict[str, dict[str, Any]] = {
    "ArenaObject": {
        "obj_name": "tower",
        "obj_geometry": "cylinder",
        "obj_width": 40.0,
        "obj_length": 40.0,
        "obj_height": 90.0,
        "obj_desc": "of glass",
    },
    "CueCard": {"cue_card": "A4", "card_content": "white"},
    "Intervention": {"intervention": "muscimol", "intervention_description": "1 µl"},
}
OF_SESSION: dict[str, dict[str, Any]] = {
    "ArenaObject": {"obj_name": "tower", "obj_x_coord": 10.0, "obj_y_coord": -5.5, "obj_note": "moved once"},
    "CueCard": {"cue_card": "A4", "card_position": "north", "card_note": "fell"},
    "Intervention": {"intervention": "muscimol"},
}
DEMO_REQUEST = {
    "username": "anna",
    "path": "\\".join([ROOT, *DEMO.split("/")]),
    "animal": "90218",
    "experiment_type": MINISCOPE,
    "setup": "wheel room",
    "scope_name": "mini2p",
    "sessiontype": "open field",
    "ops_name": "demo",
    "register_uncurated": True,
    "base_folder_note": "as on the 12th",
}


def introduce(colony: Path) -> None:
    """Add people, places, animals and parameters, as an administrator does before the first request."""
    bound = tables.in_code()
    administration.add_user(bound, "bob", first_name="Bob", is_staff=True)
    administration.add_user(
        bound, "anna", email="anna@example.org", first_name="Anna", last_name="Å", by="bob"
    )
    administration.add_repository(bound, "moser", [ROOT, "\\\\server\\moser"])
    _compare_with(colony, COLONY)
    administration.add_options(bound, "mouse_0x", OPTIONS_0X | {"nonrigid": True})
    administration.add_options(bound, "brisk", {"tau": 0.7})
    demo = {"run": {"do_regmetrics": False}, "registration": {"nonrigid": False, "nimg_init": 100}}
    administration.add_options(bound, "demo", {"tau": 0.7, **demo})
    administration.add_setup(bound, "wheel room", date(2026, 3, 1), MINISCOPE, note="moved", parts=MORE_PARTS)
    with kept_change(bound, "bob", "added the microscope", "mini2p", {"notes": "the second one"}):
        administration.add_scope(bound, "mini2p", notes="the second one")
    administration.add_apparatus(bound, "wheel", "treadmill", note="10 cm wide")
    imaging.SessionType.insert1(
        {"sessiontype": "open field", "sessiontype_description": "1 m"}, skip_duplicates=True
    )
    for name, row in BY_HAND.items():
        getattr(imaging, name).insert1(row)
    _add_parts()


def _add_parts() -> None:
    sizes = {"arena_x_dim": 100.0, "arena_y_dim": 100.0, "arena_radius": 50.0, "arena_wall_height": 30.0}
    imaging.Apparatus.Geometry.insert1({"apparatus": "wheel", "arena_geometry": "circle", **sizes})
    imaging.Apparatus.Treadmill.insert1(
        {"apparatus": "wheel", "treadmill_radius": 50.0, "treadmill_width": 80.0}
    )
    photo = np.zeros((2, 3, 3), np.uint8)
    imaging.ArenaObject.Picture.insert1({"obj_name": "tower", "obj_photo_id": 0, "obj_photo": photo})
    imaging.Scope.Picture.insert1({"scope_name": "mini2p", "scope_photo_id": 0, "scope_photo": photo})


def _compare_with(colony: Path, lines: tuple[str, ...], *, force: bool = True) -> None:
    colony.write_text("\n".join([COLONY_HEADER, *lines, ""]))
    an_hour_ago = colony.stat().st_mtime - 3600
    os.utime(colony, (an_hour_ago, an_hour_ago))
    sync(tables.in_code(), CsvFile(colony, datasource_id=0), force=force)


def requests(names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the inputs of the requests for folders of these names."""
    for name in names:
        folder: Folder = FOLDERS[name]
        yield {
            "username": "anna",
            "path": "\\".join([ROOT, *folder.path.split("/")]),
            "animal": "90218",
            "experiment_type": MINISCOPE,
            "combined": True,
            **folder.inputs,
        }


def request_demo() -> None:
    """Request the demo's folder in both ways, so that Suite2p itself runs."""
    for combined in (True, False):
        imaging.BaseFolder.add(**DEMO_REQUEST, combined=combined)


def request(names: tuple[str, ...], consent: Consent | None = None) -> None:
    """Request folders; those of animals that are not here wait."""
    request_rows.insert(tables.in_code(), list(requests(names)), on_wait=_say_nothing, consent=consent)


def _say_nothing(_number: int, _reason: Exception) -> None:
    pass


def place(share: Path, wanted: str) -> Path:
    """Return where Suite2p's outputs lie of ``FOLDER``, or of ``FOLDER TIMESERIES`` by itself."""
    folder, _, timeseries = wanted.partition(" ")
    found = imaging.MetaSession & {"metasession_folder": folder, "combined": "no" if timeseries else "yes"}
    if timeseries:
        found &= imaging.Session & {"timeseries_name": timeseries}
    return share / str(found.fetch1("suite2p_folder"))


def add_private_table() -> None:
    """Let a person keep remarks on cells in a schema of her own."""
    schema = dj.Schema(PRIVATE_SCHEMA, context={"imaging": imaging}, connection=imaging.Cell._connection)

    class Remark(dj.Manual):
        definition = """
        -> imaging.Cell.Rois
        ---
        remark : varchar(64)
        """

    schema(Remark)
    demo = imaging.Cell.Rois & (imaging.MetaSession & {"metasession_folder": DEMO, "combined": "yes"})
    Remark.insert({**key, "remark": f"remark {number}"} for number, key in enumerate(demo.keys()))


def add_parameters(number: int) -> None:
    """Add a further baseline and a further filter; new analyses take the newest baseline."""
    imaging.BaselineParams.insert1(
        {"baseline_params_id": number, "baseline_percentile": 10.0 * number, "baseline_window_s": 30.0}
    )
    imaging.SpikeFilterParams.insert1({"spike_filter_id": number, "spike_std": 1.0 + number / 2})


def act_on_jobs() -> None:
    """Try again, do sooner and leave alone."""
    bound = tables.in_code()
    copying = {"session_name": _session("copying")}
    act(bound, Action.RETRY, Selection("imaging.Tif", key={"session_name": _session("broken")}), reason="new")
    ignored = Selection("imaging.Tif", key=copying)
    act(bound, Action.IGNORE, ignored, username="anna", reason="never copied whole")
    sooner = {"spike_filter_id": "1", "session_name": _session("single")}
    act(bound, Action.PRIORITISE, Selection("imaging.FilteredSpikes", key=sooner), priority=1, username="bob")


def _session(name: str) -> str:
    of_folder = imaging.MetaSession & {"metasession_folder": FOLDERS[name].path}
    return str((imaging.Session & of_folder).to_arrays("session_name")[0])


def retire_and_withdraw() -> None:
    """Retire a session with all that was derived of it, and withdraw a request that waits."""
    retire.retire(tables.in_code(), _session("retired"), username="anna", reason="it was another animal")
    waiting = imaging.BaseFolder & "awaited_animal IS NOT NULL" & {"folder": FOLDERS["withdrawn"].path}
    imaging.BaseFolder.withdraw(
        int(waiting.fetch1("basefolder_id")), username="anna", reason="misspelt the name"
    )


def describe_sessions() -> None:
    """Say of a session where the animal was and what was done to it."""
    bound = tables.in_code()
    metasession = imaging.MetaSession & {"metasession_folder": DEMO, "combined": "yes"}
    name = str(metasession.fetch1("metasession_name"))
    session = (imaging.Session & metasession).to_dicts(order_by="session_order")[0]
    add_note(bound, name, "commutator stuck")
    set_types(bound, session, ["open field"])
    set_apparatus(bound, session, ["wheel"])
    key = {column: session[column] for column in imaging.Session.primary_key}
    for part, row in OF_SESSION.items():
        getattr(imaging.Session, part).insert1(key | row)


def sign_in() -> None:
    """Give two people passwords that nobody knows, sign one in, and refuse another."""
    bound = tables.in_code()
    for username in ("anna", "bob"):
        people.set_password(bound, username, secrets.token_urlsafe(24), by="bob")
    signing_in.begin(bound, "bob", address="192.0.2.7", now=utc_now())
    with suppress(PipelineError):
        signing_in.sign_in(bound, "anna", "wrong", address="192.0.2.8", now=utc_now())


def compare_again(colony: Path) -> None:
    """Compare with a colony without animals, then with one that renamed one, lost one and has a wrong row."""
    with suppress(PipelineError):
        _compare_with(colony, (), force=False)
    _compare_with(colony, COLONY_LATER)


def leave_work() -> None:
    """Leave jobs that nobody met, one for much later, one that is being done, and workers that are there."""
    jobs = imaging.MakeDatasetSessions.jobs
    later, killed = jobs.pending.keys(order_by="basefolder_id")
    jobs.update1({**later, "scheduled_time": "2999-01-01"})
    told = message(Told(Move.RETRY, "The process that made it was killed.", "Nothing.", "", 2, 1))
    jobs.update1({**killed, "error_message": told})
    add_parameters(2)
    imaging.FilteredSpikes.jobs.refresh()
    imaging.FilteredSpikes.jobs.reserve(imaging.FilteredSpikes.jobs.pending.keys(limit=1)[0])
    lack = Lack(Need.SUITE2P, "suite2p", "Suite2p is not installed", "Install it.")
    doing = {4711: "FilteredSpikes of 90218"}
    add_worker(imaging.Worker, "pc1", "imported,computed", processes=doing, lacks=(lack,), priority=3)
    free = {"worker_scratch_bytes": 2**40, "worker_memory_bytes": 2**35}
    restriction = "animal_name='90218'"
    add_worker(imaging.Worker, "pc2", "suite2p", silent_for_s=3600.0, worker_restriction=restriction, **free)
