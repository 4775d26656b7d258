"""From schema version 3 to 4."""

from imaging_pipeline.upgrade.changes import AddedReference
from imaging_pipeline.upgrade.step import Step

_OF_METASESSION = (
    "SELECT m.{} FROM {{imaging.MetaSession}} AS m WHERE m.metasession_name = r.metasession_name"
)

STEP = Step(
    version=4,
    changes=(
        AddedReference(
            "imaging.Session",
            "-> mlims.Animal",
            {name: _OF_METASESSION.format(name) for name in ("animal_id", "datasource_id")},
        ),
    ),
    corrections=(),
)
