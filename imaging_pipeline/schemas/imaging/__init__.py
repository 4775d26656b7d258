"""The imaging schema: one module a page of its diagram, one line a table.

Beside them is `count_cells`, which gives a number that no plain join of tables does.
"""

from imaging_pipeline.schemas.imaging.accounts import Account as Account
from imaging_pipeline.schemas.imaging.accounts import SignIn as SignIn
from imaging_pipeline.schemas.imaging.accounts import SignInFailure as SignInFailure
from imaging_pipeline.schemas.imaging.analyses import ImagingAnalysis as ImagingAnalysis
from imaging_pipeline.schemas.imaging.analyses import Projection as Projection
from imaging_pipeline.schemas.imaging.arenas import Apparatus as Apparatus
from imaging_pipeline.schemas.imaging.arenas import ApparatusCategory as ApparatusCategory
from imaging_pipeline.schemas.imaging.arenas import ArenaObject as ArenaObject
from imaging_pipeline.schemas.imaging.arenas import CueCard as CueCard
from imaging_pipeline.schemas.imaging.audit import Change as Change
from imaging_pipeline.schemas.imaging.audit import Curation as Curation
from imaging_pipeline.schemas.imaging.audit import Retirement as Retirement
from imaging_pipeline.schemas.imaging.cells import Cell as Cell
from imaging_pipeline.schemas.imaging.cells import FilteredSpikes as FilteredSpikes
from imaging_pipeline.schemas.imaging.cells import count_cells as count_cells
from imaging_pipeline.schemas.imaging.hardware import Scope as Scope
from imaging_pipeline.schemas.imaging.hardware import Setup as Setup
from imaging_pipeline.schemas.imaging.operations import JobAction as JobAction
from imaging_pipeline.schemas.imaging.operations import Store as Store
from imaging_pipeline.schemas.imaging.operations import TableChange as TableChange
from imaging_pipeline.schemas.imaging.operations import Upgrade as Upgrade
from imaging_pipeline.schemas.imaging.operations import Worker as Worker
from imaging_pipeline.schemas.imaging.parameters import BaselineParams as BaselineParams
from imaging_pipeline.schemas.imaging.parameters import SpikeFilterParams as SpikeFilterParams
from imaging_pipeline.schemas.imaging.parameters import Suite2pyOps as Suite2pyOps
from imaging_pipeline.schemas.imaging.parameters import TrackingParams as TrackingParams
from imaging_pipeline.schemas.imaging.raw import Mesc as Mesc
from imaging_pipeline.schemas.imaging.raw import Tif as Tif
from imaging_pipeline.schemas.imaging.reference import DatasetType as DatasetType
from imaging_pipeline.schemas.imaging.reference import ExperimentType as ExperimentType
from imaging_pipeline.schemas.imaging.reference import FileType as FileType
from imaging_pipeline.schemas.imaging.reference import Intervention as Intervention
from imaging_pipeline.schemas.imaging.reference import Lab as Lab
from imaging_pipeline.schemas.imaging.reference import Repository as Repository
from imaging_pipeline.schemas.imaging.reference import SessionType as SessionType
from imaging_pipeline.schemas.imaging.reference import User as User
from imaging_pipeline.schemas.imaging.requests import BaseFolder as BaseFolder
from imaging_pipeline.schemas.imaging.requests import MakeDatasetSessions as MakeDatasetSessions
from imaging_pipeline.schemas.imaging.schema import schema as schema
from imaging_pipeline.schemas.imaging.sessions import Dataset as Dataset
from imaging_pipeline.schemas.imaging.sessions import MetaSession as MetaSession
from imaging_pipeline.schemas.imaging.sessions import PhysicalFile as PhysicalFile
from imaging_pipeline.schemas.imaging.sessions import Session as Session
from imaging_pipeline.schemas.imaging.signal_to_noise import SNR as SNR
