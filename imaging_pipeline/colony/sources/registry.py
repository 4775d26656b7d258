"""Every kind of source."""

from __future__ import annotations

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.colony.sources.contract import SOURCE_KEY, Source, parsed
from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sources.json_lines import JsonLines
from imaging_pipeline.colony.sources.mysql import MysqlDatabase
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import ConfigError

SOURCES: tuple[type[Source], ...] = (MysqlDatabase, CsvFile, JsonLines)


def configured_source(config: Config) -> Source | None:
    """Return the source that the configuration names, if it names one; connects to nothing.

    Raises
    ------
    ConfigError
        Its kind or its settings are not what docs/colony.md says.
    """
    if config.mlims_source is None:
        return None
    settings = dict(config.mlims_source)
    name = str(settings.pop("kind"))
    kinds = {each.kind: each for each in SOURCES}
    if name not in kinds:
        raise ConfigError(
            f"{SOURCE_KEY} is of no kind that is known",
            path=config.path,
            found=with_alike(name, near(name, kinds)),
            allowed=", ".join(kinds),
            remedy="correct the kind.",
        )
    kind = kinds[name]
    return kind.from_settings(parsed(kind, settings, config.path), config.mlims_password)
