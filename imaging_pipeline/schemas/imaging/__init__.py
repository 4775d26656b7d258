"""The imaging schema: one module a page of its diagram."""

from .accounts import Account, SignIn, SignInFailure
from .analyses import ImagingAnalysis, Projection
from .arenas import Apparatus, ApparatusCategory, ArenaObject, CueCard
from .audit import Change, Curation, Retirement
from .cells import Cell, FilteredSpikes
from .hardware import Scope, Setup
from .operations import JobAction, TableChange, Worker
from .parameters import BaselineParams, SpikeFilterParams, Suite2pyOps, TrackingParams
from .raw import Mesc, Tif
from .reference import (
    DatasetType,
    ExperimentType,
    FileType,
    Intervention,
    Lab,
    Repository,
    SessionType,
    User,
)
from .requests import BaseFolder, MakeDatasetSessions
from .schema import schema
from .sessions import Dataset, MetaSession, PhysicalFile, Session
from .signal_to_noise import SNR

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
