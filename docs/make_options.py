"""Write docs/suite2p_options.md from the tables that translate options: python docs/make_options.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from imaging_pipeline.suite2p_runner.known_options import ops_0x
from imaging_pipeline.suite2p_runner.options import NO_OPTION

DOCUMENT = Path(__file__).with_name("suite2p_options.md")

_HEAD = """\
# Suite2p options

Made from the code by `docs/make_options.py`; change the code, not this page.

An option set is the file that Suite2p's window saves, of 0.x (flat keys) or 1.x (nested groups), or the same
as JSON. `imaging-pipeline options add` refuses keys that Suite2p does not know and values of the wrong kind,
and says what of the set has no effect, and why. The set is kept in the words of 1.x, which is what runs.
Where a recording knows better, as with its frame rate, the run takes that, and `Suite2Py` tells both.

Of what Suite2p 1.x calls `db`, only `nplanes`, `nchannels`, `functional_chan`, `ignore_flyback` and
`keep_movie_raw` are options; all other keys of it say which files are read and where the output goes, and
have no effect. One setting may be `"auto"`: `registration.batch_size`, which is then chosen by the size of
the frames and the memory that is free; `Suite2Py` keeps what was taken.

What became of each key of Suite2p 0.10 to 0.14:
"""

_RECORDING = "db."


def page() -> str:
    """Return the whole document."""
    tables = ops_0x()
    parts = (
        _table("Carried over", ("0.x", "1.x", ""), _carried()),
        _table("Said in other words", ("0.x", "1.x"), ((_code(key), text) for key, text in _computed())),
        _table("Not carried over", ("0.x", "why"), _not_carried(tables["no_option"])),
    )
    return "\n".join([_HEAD, *(line for part in parts for line in part)])


def _carried() -> Iterator[tuple[str, str, str]]:
    notes = ops_0x()["notes"]
    for key, name in ops_0x()["carried"].items():
        yield _code(key), _code(name.removeprefix(_RECORDING)), notes.get(key, "")


def _computed() -> Iterable[tuple[str, str]]:
    computed: dict[str, str] = ops_0x()["computed"]
    return computed.items()


def _not_carried(no_option: list[str]) -> Iterator[tuple[str, str]]:
    for reason, keys in ops_0x()["not_carried"].items():
        yield from ((_code(key), reason) for key in keys)
    yield from ((_code(key), NO_OPTION) for key in no_option)


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"| {' | '.join(columns)} |"
    yield "|" + "---|" * len(columns)
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _code(key: str) -> str:
    return f"`{key}`"


def main() -> None:
    """Write the document."""
    DOCUMENT.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
