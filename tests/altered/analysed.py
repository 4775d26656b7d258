"""The tifs of a session as imports take them."""

from __future__ import annotations

from collections.abc import Sequence

from imaging_pipeline.experiments.recognised import ExperimentType
from imaging_pipeline.ingest.records import SessionRecord
from imaging_pipeline.schemas.make.fetching import DatasetFile, SessionTifs, TifFrames
from imaging_pipeline.schemas.make.stacks import TifDataset
from imaging_pipeline.segmentation.volumes import RecordedPlanes
from tests.altered.recordings import Written


def session_tifs(session: SessionRecord, written: Written) -> SessionTifs:
    """Return the tifs of a session that is planned of a recording."""
    tifs = [file for dataset in session.datasets if dataset.datasettype == "tif" for file in dataset.files]
    settings = written.settings
    num_channels = len(settings.channels)
    shape = next(iter(written.tifs.values())).shape
    return SessionTifs(
        session.session_name,
        tuple(file.name for file in tifs),
        tuple(file.acquisition for file in tifs),
        TifFrames(
            frames_per_tif=tuple(len(written.tifs[file.name].frames) // num_channels for file in tifs),
            frames_per_volume=settings.frames_per_volume,
            rate_hz=settings.frame_rate_hz / settings.frames_per_volume,
            is_motion_corrected=False,
            datatype="int16",
            planes=RecordedPlanes(
                shape,
                shape[:1],
                settings.num_planes,
                settings.frames_per_volume,
                settings.frames_per_volume,
                len(settings.channels),
            ),
        ),
    )


def tif_dataset(
    experiment: ExperimentType,
    timeseries_name: str,
    tifs: Sequence[DatasetFile],
    primary: Sequence[DatasetFile],
) -> TifDataset:
    """Return the tifs of a session that Suite2p takes."""
    return TifDataset(
        experiment.name, experiment.analysed, timeseries_name, tuple(tifs), tuple(primary), zone="UTC"
    )
