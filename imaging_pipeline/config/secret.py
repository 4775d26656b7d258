"""A text that no log, message or ``repr`` shows."""

from __future__ import annotations


class Secret:
    """A password or key that has to be asked for by name.

    It is no dataclass and has no ``__dict__``, so that ``dataclasses.asdict``, ``vars`` and ``json``
    do not find the text either. Pickling keeps it, since a job process needs it to connect.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(not shown)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)
