"""The steps between schema versions, one a module, in order."""

from imaging_pipeline.upgrade.step import Step
from imaging_pipeline.upgrade.steps import version_4

STEPS: tuple[Step, ...] = (version_4.STEP,)
