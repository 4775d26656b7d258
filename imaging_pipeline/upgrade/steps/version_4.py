"""From schema version 3 to 4."""

from imaging_pipeline.upgrade.changes import AddedColumn, AddedReference, ChangedColumn, ChangedValue
from imaging_pipeline.upgrade.correction import Correction
from imaging_pipeline.upgrade.step import Step
from imaging_pipeline.upgrade.steps.wrong_in_version_3 import of_lost_volumes, with_merged_parts

_OF_METASESSION = (
    "SELECT m.{} FROM {{imaging.MetaSession}} AS m WHERE m.metasession_name = r.metasession_name"
)
_PIXELS = "pixel_conversion=null : varchar(64)  # to int16; empty: pixels as in the tifs, null: not known"
_NUM_SESSIONS = "SELECT COUNT(*) FROM {imaging.Session} AS s WHERE s.metasession_name = r.metasession_name"
_OF_SEVERAL = "it was that of all sessions of the run; it is null until the cells are imported again"
_CUT_OPTIONS = "options were stored as yes or no, or as the number of folders"


def _option(column: str, *paths: tuple[str, ...]) -> dict[str, str]:
    """Return the whole number that an output's options have at one of some paths, else what is there."""
    on_postgresql = ", ".join(f"r.ops_options #>> '{{{{{','.join(path)}}}}}'" for path in paths)
    on_mysql = ", ".join(f"JSON_VALUE(r.ops_options, '$.{'.'.join(path)}')" for path in paths)
    numbers = "CASE {text} WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE COALESCE({cast}, r.{column}) END"
    texts = {"postgresql": f"COALESCE({on_postgresql})", "mysql": f"COALESCE({on_mysql})"}
    casts = {
        "postgresql": f"CAST(CAST({texts['postgresql']} AS numeric) AS int)",
        "mysql": f"CAST({texts['mysql']} AS SIGNED)",
    }
    return {
        backend: numbers.format(text=text, cast=casts[backend], column=column)
        for backend, text in texts.items()
    }


STEP = Step(
    version=4,
    changes=(
        AddedReference(
            "imaging.Session",
            "-> mlims.Animal",
            {name: _OF_METASESSION.format(name) for name in ("animal_id", "datasource_id")},
        ),
        AddedColumn(
            "imaging.BaseFolder",
            "damaged_tifs=\"refuse\" : enum('refuse', 'cut', 'leave out')"
            "  # cut: take the frames before the damage",
        ),
        AddedColumn(
            "imaging.PhysicalFile",
            "pages_taken=null : int64"
            "  # of a damaged tif, its first pages of all channels; null: it is whole",
        ),
        AddedColumn(
            "imaging.PhysicalFile",
            "content_hash=null : varchar(32)"
            "  # of all of a large array of an output, noted when it is imported",
        ),
        AddedColumn(
            "imaging.ImagingAnalysis.Suite2py",
            "num_planes_analysed=null : int16  # planes with regions, or fields where a plane has several",
            "r.ops_nplanes",
        ),
        ChangedValue(
            "imaging.ImagingAnalysis.Suite2py",
            "ops_nplanes",
            _option("ops_nplanes", ("nplanes",)),
            _CUT_OPTIONS,
        ),
        ChangedValue(
            "imaging.ImagingAnalysis.Suite2py",
            "ops_do_registration",
            _option("ops_do_registration", ("run", "do_registration"), ("do_registration",)),
            _CUT_OPTIONS,
        ),
        AddedColumn("imaging.ImagingAnalysis.Suite2py", f"ops_{_PIXELS}"),
        AddedColumn("suite2p_jobs.Suite2Py", f"run_{_PIXELS}"),
        AddedColumn(
            "suite2p_jobs.Suite2Py",
            "run_bad_frames=null : json  # left out of the detection, from 0 in the run; null: not known",
        ),
        AddedColumn(
            "imaging.Cell.Rois",
            "run_skew=null : float64  # the same of all sessions of the run, as the program wrote it",
            "r.skew",
        ),
        AddedColumn(
            "imaging.Cell.Rois",
            "run_std=null : float64  # the same of all sessions of the run, as the program wrote it",
            "r.std",
        ),
        *(
            ChangedValue(
                "imaging.Cell.Rois",
                column,
                f"CASE WHEN ({_NUM_SESSIONS}) > 1 THEN NULL ELSE r.{column} END",
                _OF_SEVERAL,
            )
            for column in ("skew", "std")
        ),
        AddedColumn(
            "imaging.Cell.Rois", "imerge=null : <blob>  # int32 (n,), regions that a person merged into it"
        ),
        ChangedColumn(
            "imaging.FilteredSpikes.Cell",
            "spike_threshold=null : float64  # what a sample had to exceed; null where no sample is a number",
        ),
        AddedColumn(
            "imaging.FilteredSpikes.Cell",
            "num_invalid_spikes=0 : int64  # samples that are NaN, because the spikes are no finite number",
        ),
    ),
    corrections=(
        Correction(
            "times of tifs",
            "times of frames began anew with each acquisition, and lost frames were not looked for",
            "imaging.Tif",
            "tif_entry_time",
            lambda handle: handle.imaging.Tif.SI.proj(),
        ),
        Correction(
            "stacks of one directory",
            "of stacks as ImageJ writes them the first frame alone was read",
            "imaging.Tif",
            "tif_entry_time",
            lambda handle: "num_frames = num_files",
        ),
        Correction(
            "planes of volumes that lack a frame",
            "of volumes a frame was lost, and what follows was taken for the next plane",
            "imaging.ImagingAnalysis",
            "entry_time_imaginganalysis",
            of_lost_volumes,
        ),
        Correction(
            "regions merged by hand",
            "regions that were merged into others counted as cells beside these",
            "imaging.Cell",
            "cell_entry_time",
            with_merged_parts,
        ),
        Correction(
            "labels that are no number",
            "an output whose labels are no numbers was taken for one without cells",
            "imaging.Cell",
            "cell_entry_time",
            lambda handle: "num_cells = 0 AND num_rois > 0",
        ),
        Correction(
            "spikes that are no number",
            "spikes that are no numbers were taken for a silent cell",
            "imaging.FilteredSpikes",
            "filteredspikes_entry_time",
            # No other server stores NaN, and there the job failed.
            lambda handle: (
                handle.imaging.FilteredSpikes.Cell & "spike_threshold = 'NaN'"
                if handle.connection.adapter.backend == "postgresql"
                else "1 = 0"
            ),
        ),
    ),
)
