"""The imaging schema: one module a page of its diagram."""

from imaging_pipeline.schemas.imaging.accounts import Account, SignIn, SignInFailure
from imaging_pipeline.schemas.imaging.analyses import ImagingAnalysis, Projection
from imaging_pipeline.schemas.imaging.arenas import Apparatus, ApparatusCategory, ArenaObject, CueCard
from imaging_pipeline.schemas.imaging.audit import Change, Curation, Retirement
from imaging_pipeline.schemas.imaging.cells import Cell, FilteredSpikes
from imaging_pipeline.schemas.imaging.hardware import Scope, Setup
from imaging_pipeline.schemas.imaging.operations import JobAction, TableChange, Worker
from imaging_pipeline.schemas.imaging.parameters import (
    BaselineParams,
    SpikeFilterParams,
    Suite2pyOps,
    TrackingParams,
)
from imaging_pipeline.schemas.imaging.raw import Mesc, Tif
from imaging_pipeline.schemas.imaging.reference import (
    DatasetType,
    ExperimentType,
    FileType,
    Intervention,
    Lab,
    Repository,
    SessionType,
    User,
)
from imaging_pipeline.schemas.imaging.requests import BaseFolder, MakeDatasetSessions
from imaging_pipeline.schemas.imaging.schema import schema
from imaging_pipeline.schemas.imaging.sessions import Dataset, MetaSession, PhysicalFile, Session
from imaging_pipeline.schemas.imaging.signal_to_noise import SNR

__all__ = [
    "SNR",
    "Account",
    "Apparatus",
    "ApparatusCategory",
    "ArenaObject",
    "BaseFolder",
    "BaselineParams",
    "Cell",
    "Change",
    "CueCard",
    "Curation",
    "Dataset",
    "DatasetType",
    "ExperimentType",
    "FileType",
    "FilteredSpikes",
    "ImagingAnalysis",
    "Intervention",
    "JobAction",
    "Lab",
    "MakeDatasetSessions",
    "Mesc",
    "MetaSession",
    "PhysicalFile",
    "Projection",
    "Repository",
    "Retirement",
    "Scope",
    "Session",
    "SessionType",
    "Setup",
    "SignIn",
    "SignInFailure",
    "SpikeFilterParams",
    "Suite2pyOps",
    "TableChange",
    "Tif",
    "TrackingParams",
    "User",
    "Worker",
    "schema",
]
