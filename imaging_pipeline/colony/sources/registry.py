"""Every kind of source of animals."""

from __future__ import annotations

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.colony.sources.contract import SOURCE_KEY, Source, parse_settings
from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sources.json_lines import JsonLines
from imaging_pipeline.colony.sources.mysql import MysqlDatabase
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import ConfigError

SOURCES: tuple[type[Source], ...] = (MysqlDatabase, CsvFile, JsonLines)


def configured_source(config: Config) -> Source | None:
    """Return the source that the configuration names, or None; opens no connection.

    Raises
    ------
    ConfigError
        Its kind or a setting is not allowed.
    """
    if config.mlims_source is None:
        return None
    settings = dict(config.mlims_source)
    name = str(settings.pop("kind"))
    kinds = {source.kind: source for source in SOURCES}
    if name not in kinds:
        raise ConfigError(
            f"{SOURCE_KEY} is of no kind that is known",
            path=config.path,
            found=with_alike(name, near(name, kinds)),
            allowed=", ".join(kinds),
            remedy="correct the kind.",
        )
    kind = kinds[name]
    return kind.from_settings(parse_settings(kind, settings, config.path), config.mlims_password)
