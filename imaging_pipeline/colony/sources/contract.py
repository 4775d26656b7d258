"""What every kind of source of animals provides, and its settings in the configuration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.colony.sources.columns import Translation, a_date_format, a_value_map
from imaging_pipeline.colony.sources.record import Record, RowProblem
from imaging_pipeline.config.kinds import NotAllowedError, Secret
from imaging_pipeline.errors import ConfigError

SOURCE_KEY = "custom.mlims.source"
_REQUIRED = object()


@dataclass(frozen=True)
class Setting:
    """A setting of a kind of source.

    Attributes
    ----------
    name
        Its name in the configuration.
    parse
        From JSON to the value that is used; raises `NotAllowedError`.
    default
        The value without the setting; a setting without default is required.
    """

    name: str
    parse: Callable[[object], Any]
    default: Any = field(default=_REQUIRED)

    @property
    def is_required(self) -> bool:
        """Whether the configuration must have it."""
        return self.default is _REQUIRED


def a_datasource_id(value: object) -> int:
    """Accept the number of a colony system."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise NotAllowedError("a whole number from 0 to 2147483647")
    return value


COMMON_SETTINGS = (
    Setting("datasource_id", a_datasource_id, 0),
    Setting("values", a_value_map, None),
    Setting("date_format", a_date_format, None),
)


@dataclass(frozen=True)
class Snapshot:
    """A source as it is at one moment.

    Attributes
    ----------
    animals
        A record for each animal, or why its row is skipped; each is read when it is asked for.
    genotypes
        Records of ``animal_id``, ``gene`` and ``genotype``, read after the animals; None if genotypes
        are columns of the animals, or not known.
    """

    animals: Iterator[Record | RowProblem]
    genotypes: Iterator[Record | RowProblem] | None = None


class Source(ABC):
    """A kind of source."""

    kind: ClassVar[str]
    own_settings: ClassVar[tuple[Setting, ...]]

    datasource_id: int | None
    translation: Translation

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: Mapping[str, Any], password: Secret) -> Self:
        """Return the source with these settings, each parsed or its default."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Kind and address in a few words, without anything secret."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open the source as it is at one moment; nothing in it is changed.

        Raises
        ------
        ColonyError, NothingFoundError, FormatError, InputError
            It does not answer, breaks off, or is not as its settings say; or, at the end, it was changed
            while it was read.
        """


def parse_settings(kind: type[Source], settings: Mapping[str, object], path: object) -> dict[str, Any]:
    """Return the parsed settings of a source; those that are not there have their default.

    Parameters
    ----------
    kind
        The kind of source.
    settings
        Its settings in the configuration.
    path
        The configuration's file, for messages.

    Raises
    ------
    ConfigError
        A setting is unknown, missing or wrong.
    """
    allowed = {setting.name: setting for setting in (*kind.own_settings, *COMMON_SETTINGS)}
    for name in settings:
        if name not in allowed:
            raise _unknown(kind, name, allowed, path)
    missing = [
        setting.name for setting in allowed.values() if setting.is_required and setting.name not in settings
    ]
    if missing:
        raise ConfigError(
            f"{SOURCE_KEY} of the kind {kind.kind} lacks {', '.join(missing)}",
            path=_shown(path),
            found=", ".join(settings) or "no other setting",
            remedy="give a value for each, as docs/colony.md shows.",
        )
    return {
        name: _value(setting, settings[name], path) if name in settings else setting.default
        for name, setting in allowed.items()
    }


def _value(setting: Setting, value: object, path: object) -> Any:
    try:
        return setting.parse(value)
    except NotAllowedError as error:
        raise ConfigError(
            f"The value of {setting.name} in {SOURCE_KEY} is wrong",
            path=_shown(path),
            found="an object or a list" if isinstance(value, (dict, list)) else repr(value),
            allowed=error,
            remedy="correct the value, as docs/colony.md shows.",
        ) from None


def _unknown(kind: type[Source], name: str, allowed: Mapping[str, Setting], path: object) -> ConfigError:
    return ConfigError(
        f"{SOURCE_KEY} of the kind {kind.kind} takes no {name}",
        path=_shown(path),
        found=with_alike(name, near(name, allowed, count=1)),
        allowed=", ".join(("kind", *allowed)),
        remedy="correct or remove it.",
    )


def _shown(path: object) -> str | None:
    return None if path is None else str(path)
