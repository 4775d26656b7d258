"""What other tables refer to: people, places and types."""

from typing import Any

import datajoint as dj

from imaging_pipeline.experiments.dataset_types import (
    BAD_FRAMES,
    DLC,
    DLC_FILTERED,
    INTERMEDIATE,
    MESC,
    SESSION_JSON,
    SUITE2P_MATLAB,
    SUITE2P_PYTHON,
    TIF,
    TIF_PREPROCESSED,
    TRACKING_PREPROCESSED,
)
from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.administer import people
from imaging_pipeline.schemas.imaging.schema import schema


@schema
class Lab(dj.Manual):
    """What holds for the whole database, fixed when it is initialised."""

    definition = """
    lab_id : int8  # always 0: there is one row
    ---
    timezone : varchar(64)  # IANA name of the zone of all recording times
    schema_version : int32  # of the tables, raised when they change
    lab_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """


@schema
class User(dj.Manual):
    """People who register folders."""

    definition = """
    username : varchar(64)
    ---
    email="" : varchar(255)
    first_name="" : varchar(128)
    last_name="" : varchar(128)
    user_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    is_active=1 : bool  # may register folders
    is_staff=0 : bool  # administrator
    is_superuser=0 : bool
    """

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete people who have registered nothing, as DataJoint does.

        Raises
        ------
        InputError
            One of them has sessions, which would be deleted with all that was derived from them.
        """
        people.require_no_sessions(tables.default_tables(), list(self.to_arrays("username")))
        return super().delete(*args, **kwargs)


@schema
class Repository(dj.Manual):
    """Named places that hold files; each machine finds them by its own configuration."""

    definition = """
    repository_name : varchar(64)
    ---
    repository_type="share" : varchar(32)
    repository_note="" : varchar(1024)
    """

    class Root(dj.Part):
        r"""Every spelling that people type for a repository, such as ``F:\`` or ``//server/share``."""

        definition = """
        -> master
        root : varchar(255)  # as typed
        """


@schema
class FileType(dj.Lookup):
    """Kinds of files."""

    definition = """
    filetype : varchar(16)
    ---
    filetype_description : varchar(255)
    """
    contents = [
        {"filetype": "tif", "filetype_description": "TIFF stack, classic or BigTIFF"},
        {"filetype": "h5", "filetype_description": "HDF5 file"},
        {"filetype": "csv", "filetype_description": "text table"},
        {"filetype": "avi", "filetype_description": "video, AVI container"},
        {"filetype": "mp4", "filetype_description": "video, MP4 container"},
        {"filetype": "npy", "filetype_description": "numpy arrays"},
        {"filetype": "mat", "filetype_description": "MATLAB variables"},
        {"filetype": "mesc", "filetype_description": "Femtonics' MESc file, which is HDF5"},
        {"filetype": "json", "filetype_description": "JSON object"},
        {"filetype": "mixed", "filetype_description": "files of several kinds"},
    ]


@schema
class DatasetType(dj.Lookup):
    """What the files of a dataset are together."""

    definition = """
    datasettype : varchar(32)
    ---
    datasettype_description : varchar(255)
    """
    contents = [
        {"datasettype": TIF, "datasettype_description": "two-photon imaging stack as recorded"},
        {
            "datasettype": TIF_PREPROCESSED,
            "datasettype_description": "imaging stack after correction of its motion",
        },
        {"datasettype": MESC, "datasettype_description": "a time series of a Femtonics microscope"},
        {
            "datasettype": "wavesurfer",
            "datasettype_description": "digital and analog lines sampled by Wavesurfer",
        },
        {
            "datasettype": "tracking_openfield",
            "datasettype_description": "positions of two LEDs in an open field",
        },
        {"datasettype": "tracking_wheel", "datasettype_description": "positions of a running wheel"},
        {
            "datasettype": TRACKING_PREPROCESSED,
            "datasettype_description": "positions of two LEDs on the clock of the imaging frames",
        },
        {
            "datasettype": SESSION_JSON,
            "datasettype_description": "what a person says of a recording of plain tifs",
        },
        {"datasettype": INTERMEDIATE, "datasettype_description": "files between raw and preprocessed"},
        {"datasettype": DLC, "datasettype_description": "config, positions and metadata of DeepLabCut"},
        {
            "datasettype": BAD_FRAMES,
            "datasettype_description": "frames that Suite2p leaves out of the detection",
        },
        {"datasettype": DLC_FILTERED, "datasettype_description": "filtered positions of DeepLabCut"},
        {"datasettype": "tracking_video", "datasettype_description": "video of the animal"},
        {
            "datasettype": SUITE2P_PYTHON,
            "datasettype_description": "output of Suite2p for Python, one plane or all combined",
        },
        {
            "datasettype": SUITE2P_MATLAB,
            "datasettype_description": "output of Suite2p for MATLAB, one plane",
        },
    ]


@schema
class ExperimentType(dj.Lookup):
    """Kinds of recordings: which files mean what."""

    definition = """
    experiment_type : varchar(64)
    ---
    experiment_type_description : varchar(255)
    """
    contents = [
        {
            "experiment_type": "2Pminiscope_A",
            "experiment_type_description": "ScanImage tifs, Wavesurfer sync, csv tracking and video",
        },
        {
            "experiment_type": "femtonics",
            "experiment_type_description": ".mesc files, csv tracking, video and exported tifs",
        },
        {
            "experiment_type": "2Pminiscope_A preprocessed",
            "experiment_type_description": "the same, and tifs whose motion was corrected beside them",
        },
        {
            "experiment_type": "plain tifs",
            "experiment_type_description": "tifs of any program, and a session.json that describes them",
        },
    ]


@schema
class SessionType(dj.Lookup):
    """What an animal did in a session."""

    definition = """
    sessiontype : varchar(64)
    ---
    sessiontype_description="" : varchar(1024)
    """
    contents = [
        {"sessiontype": "open field", "sessiontype_description": "free foraging in an arena"},
        {"sessiontype": "wheel", "sessiontype_description": "running on a wheel, head fixed"},
    ]


@schema
class Intervention(dj.Lookup):
    """What was done to an animal for a session."""

    definition = """
    intervention : varchar(64)
    ---
    intervention_description="" : varchar(1024)
    """
