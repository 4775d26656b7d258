"""From schema version 3 to 4."""

from imaging_pipeline.upgrade.step import Step

STEP = Step(version=4, changes=(), corrections=())
