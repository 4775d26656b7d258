"""What every kind of source gives, and how it says what it takes from the configuration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.colony.sources.record import Record, RowProblem
from imaging_pipeline.colony.sources.translation import Translation, a_date_format, a_value_map
from imaging_pipeline.config.kinds import NotAllowedError
from imaging_pipeline.config.secret import Secret
from imaging_pipeline.errors import ConfigError

SOURCE_KEY = "custom.mlims.source"
_NEEDED = object()


@dataclass(frozen=True)
class Setting:
    """A value that a kind of source takes.

    Attributes
    ----------
    name
        As it is written in the configuration.
    parse
        From JSON to the value that is used; raises `NotAllowedError`.
    default
        Where it is not given; without one it must be.
    """

    name: str
    parse: Callable[[object], Any]
    default: Any = field(default=_NEEDED)

    @property
    def is_needed(self) -> bool:
        """Whether it must be given."""
        return self.default is _NEEDED


def a_datasource_id(value: object) -> int:
    """Accept the number of a colony system."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise NotAllowedError("a whole number from 0 to 2147483647")
    return value


OF_EVERY_KIND = (
    Setting("datasource_id", a_datasource_id, 0),
    Setting("values", a_value_map, None),
    Setting("date_format", a_date_format, None),
)


@dataclass(frozen=True)
class Reading:
    """One consistent look at a source.

    Attributes
    ----------
    animals
        A record for each animal, or why there is none; they come as they are read.
    genotypes
        Records of ``animal_id``, ``gene`` and ``genotype``, read after the animals; None where those
        have columns of genotypes, or where nothing is known of genotypes.
    """

    animals: Iterator[Record | RowProblem]
    genotypes: Iterator[Record | RowProblem] | None = None


class Source(ABC):
    """A kind of source; made of its settings by `from_settings`."""

    kind: ClassVar[str]
    own_settings: ClassVar[tuple[Setting, ...]]

    datasource_id: int | None
    translation: Translation

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: Mapping[str, Any], password: Secret) -> Self:
        """Make a source of its settings, each parsed or its default."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Kind and place in a few words, without anything secret."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Reading]:
        """Look at the source as it is at one moment; nothing in it is changed.

        Raises
        ------
        ColonyError, NothingFoundError, FormatError, InputError
            It is away, breaks off, or is not as its settings say; also in the end, where it was changed
            while it was read.
        """


def parsed(kind: type[Source], given: Mapping[str, object], path: object) -> dict[str, Any]:
    """Check the settings of a source strictly.

    Parameters
    ----------
    kind
        Whose settings they are.
    given
        As the configuration has them.
    path
        The configuration's file, for messages.

    Raises
    ------
    ConfigError
        A setting is unknown, missing or wrong.
    """
    settings = {each.name: each for each in (*kind.own_settings, *OF_EVERY_KIND)}
    for name in given:
        if name not in settings:
            raise _unknown(kind, name, settings, path)
    missing = [each.name for each in settings.values() if each.is_needed and each.name not in given]
    if missing:
        raise ConfigError(
            f"{SOURCE_KEY} of the kind {kind.kind} lacks {', '.join(missing)}",
            path=_shown(path),
            found=", ".join(given) or "no other setting",
            remedy="give a value for each, as docs/colony.md shows.",
        )
    return {
        name: _value(each, given[name], path) if name in given else each.default
        for name, each in settings.items()
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


def _unknown(kind: type[Source], name: str, settings: Mapping[str, Setting], path: object) -> ConfigError:
    return ConfigError(
        f"{SOURCE_KEY} of the kind {kind.kind} takes no {name}",
        path=_shown(path),
        found=with_alike(name, near(name, settings, count=1)),
        allowed=", ".join(("kind", *settings)),
        remedy="correct or remove it.",
    )


def _shown(path: object) -> str | None:
    return None if path is None else str(path)
