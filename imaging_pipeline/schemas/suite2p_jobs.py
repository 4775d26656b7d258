"""Runs of Suite2p."""

from __future__ import annotations

import datajoint as dj

from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.make import suite2p_runs
from imaging_pipeline.schemas.make.stacks import TifDataset
from imaging_pipeline.schemas.make.suite2p_runs import RunTarget, StoredOptions
from imaging_pipeline.schemas.plain_rows import Row

__all__ = ["Suite2Py", "imaging", "schema"]

schema = dj.Schema()


@schema
class Suite2Py(dj.Computed):
    """A run of Suite2p on all tifs of a MetaSession, with one option set."""

    # Below the option set that is asked for, so that a run is deleted when its set is replaced.
    definition = """
    -> imaging.MetaSession.Suite2pyOps
    ---
    output_folder : varchar(1024)  # relative to the repository of the MetaSession
    adopted : bool  # a finished output of these tifs and options was there already
    run_num_frames : int64  # of a plane
    run_num_rois : int32  # in all planes, cells or not
    run_settings : json  # in force, the whole set
    run_overridden : json  # option: what the set says, what the tifs say and was taken
    run_pixel_conversion=null : varchar(64)  # to int16; empty: pixels as in the tifs, null: not known
    run_bad_frames=null : json  # left out of the detection, from 0 in the run; null: not known
    run_trimmed : json  # tif: pages left out at the end, because their volume is not complete
    run_stage_seconds : json  # stage: seconds
    run_seconds : float64  # s, in all
    run_versions : json  # of Suite2p, torch, Python and this package
    run_machine : varchar(255)  # empty where a person ran it elsewhere
    run_threads : int16  # 0 where a person ran it elsewhere
    suite2py_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    def make_fetch(self, key: Row) -> tuple[RunTarget, tuple[TifDataset, ...], StoredOptions]:
        """Fetch where the output belongs, the tifs in order and the option set."""
        handle = tables.default_tables()
        return (
            suite2p_runs.run_target(handle, key),
            suite2p_runs.session_tifs(handle, key),
            suite2p_runs.stored_options(handle, key),
        )

    def make_compute(
        self, key: Row, target: RunTarget, sessions: tuple[TifDataset, ...], options: StoredOptions
    ) -> tuple[Row]:
        """Run Suite2p, or adopt a finished output."""
        result = suite2p_runs.run(tables.default_tables().config, target, sessions, options)
        return (suite2p_runs.run_row(target, result),)

    def make_insert(self, key: Row, row: Row) -> None:
        """Insert what the run did, and register the folder again if its request asked for that."""
        self.insert1({**key, **row})
        suite2p_runs.register_again(tables.default_tables(), key)
