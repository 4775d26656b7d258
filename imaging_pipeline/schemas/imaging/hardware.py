"""What a recording was made with."""

import datajoint as dj

from imaging_pipeline.schemas.imaging.reference import ExperimentType
from imaging_pipeline.schemas.imaging.schema import schema

__all__ = ["ExperimentType", "Scope", "Setup"]


@schema
class Setup(dj.Manual):
    """Everything in the room but scope, arena and animal, as calibrated on a day."""

    # The day is a date: a datetime in a key that others inherit breaks DataJoint's job tables on PostgreSQL.
    definition = """
    setup_name : varchar(64)
    setup_date : date  # first day of this calibration
    ---
    -> ExperimentType
    setup_note="" : varchar(1024)
    setup_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class Sync(dj.Part):
        """What each recorded line means."""

        definition = """
        -> master
        sync_name : varchar(64)  # name in the raw file
        ---
        generic_name : varchar(64)  # for example frames_imaging
        polarity : enum('rising', 'falling')  # the edge that is the event
        master=0 : bool  # the line that starts and ends the clock
        tolerance=0 : float64  # s, difference that is cut and recorded
        """

    class Tracking1D(dj.Part):
        """Rotary encoder of a wheel."""

        definition = """
        -> master
        ---
        encoder_steps : int32  # steps a turn
        """

    class Tracking2D(dj.Part):
        """Columns of an open-field tracking file, and its header."""

        definition = """
        -> master
        ---
        header : int16  # lines before the column names
        timebase : float64  # seconds a unit of the time column
        time : varchar(64)  # column of the time
        led1_x : varchar(64)  # column, px
        led1_y : varchar(64)  # column, px
        led2_x : varchar(64)  # column, px
        led2_y : varchar(64)  # column, px
        """

    class Treadmill(dj.Part):
        """Calibration of a wheel."""

        definition = """
        -> master
        ---
        calibration : float64  # mm a step
        """

    class Scanimage(dj.Part):
        """Machine data file of ScanImage."""

        definition = """
        -> master
        ---
        machine_file : varchar(4096)  # text of the file
        """

    class Labview(dj.Part):
        """Configuration of LabView."""

        definition = """
        -> master
        ---
        labview_config : json
        """


@schema
class Scope(dj.Manual):
    """Microscope heads."""

    definition = """
    scope_name : varchar(64)
    ---
    entry_time_scope=CURRENT_TIMESTAMP(6) : datetime(6)
    scope_notes="" : varchar(1024)
    """

    class Picture(dj.Part):
        """Photographs of a head."""

        definition = """
        -> master
        scope_photo_id : int16
        ---
        scope_photo : <blob>  # uint8 (height, width, 3)
        entry_time_scope_photo=CURRENT_TIMESTAMP(6) : datetime(6)
        """
