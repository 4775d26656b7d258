"""Where animals move, and what stands there."""

import datajoint as dj

from imaging_pipeline.schemas.imaging.schema import schema


@schema
class ApparatusCategory(dj.Lookup):
    """Kinds of apparatus."""

    definition = """
    category : varchar(64)
    """
    contents = [
        {"category": "arena"},
        {"category": "treadmill"},
    ]


@schema
class Apparatus(dj.Manual):
    """Arenas, wheels and other things an animal moves in or on."""

    definition = """
    apparatus : varchar(64)
    ---
    -> ApparatusCategory
    apparatus_note="" : varchar(1024)
    """

    class Geometry(dj.Part):
        """Size of an arena."""

        definition = """
        -> master
        ---
        arena_geometry : enum('rectangle', 'circle')
        arena_x_dim=null : float64  # mm
        arena_y_dim=null : float64  # mm
        arena_radius=null : float64  # mm, of a circle
        arena_wall_height=null : float64  # mm
        """

    class Treadmill(dj.Part):
        """Size of a wheel."""

        definition = """
        -> master
        ---
        treadmill_radius : float64  # mm
        treadmill_width=null : float64  # mm
        """


@schema
class CueCard(dj.Manual):
    """Cards at the wall of an arena."""

    definition = """
    cue_card : varchar(64)
    ---
    card_content="" : varchar(1024)
    """


@schema
class ArenaObject(dj.Manual):
    """Objects that are put into an arena."""

    definition = """
    obj_name : varchar(64)
    ---
    obj_geometry="" : varchar(64)
    obj_width=null : float64  # mm
    obj_length=null : float64  # mm
    obj_height=null : float64  # mm
    obj_desc="" : varchar(1024)
    """

    class Picture(dj.Part):
        """Photographs of an object."""

        definition = """
        -> master
        obj_photo_id : int16
        ---
        obj_photo : <blob>  # uint8 (height, width, 3)
        entry_time_obj_photo=CURRENT_TIMESTAMP(6) : datetime(6)
        """
