"""Any spelling of a folder to its place and back on any client; nothing leaves its repository."""

from __future__ import annotations

import re
import string
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imaging_pipeline.errors import NotMountedError, PathError
from imaging_pipeline.paths import RepositoryPath, Root, local_path, relative, resolve

ROOTS = (
    Root("moser", "N:\\moser\\"),
    Root("moser", "\\\\forskning.no\\data\\moser"),
    Root("moser", "/mnt/moser/"),
    Root("scratch", "F:\\"),
    Root("archive", "N:\\moser\\archive"),
    Root("archive", "/mnt/moser/archive"),
    Root("Ångström", "/mnt/Ångström"),
    Root("Ångström", "N:\\Ångström"),
)
WINDOWS_DEVICES = ("CON", "nul", "PRN", "aux", "COM1", "lpt9", "NUL.txt", "con.tar.gz", "COM¹")
DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
WINDOWS_REFUSES = ("a*b", "a?", "a<b", "a|b", 'a"b', "a\nb", "a\0b", "\ud800")
LONG = "x" * 200

letters = st.text(string.ascii_letters + string.digits + "-_ .#&,()'æøå東", min_size=1, max_size=12)
# Names that every system can have, in the composed form that rows have.
folder_names = (letters | st.just(LONG)).filter(
    lambda name: name.strip(" .'") == name and name != "archive" and not DEVICE.fullmatch(name)
)
folders = st.lists(folder_names, max_size=5)
wrappings = st.sampled_from(["{}", '"{}"', "'{}'", "  {}\n", "\ufeff{}", "\u202a{}", "\u201c{}\u201d"])
hostile_names = st.sampled_from(
    ["..", ".", "...", ".. ", "a", "archive", "C:", "F:x", "a:b", "NUL", "", " ", "\0", "a\nb", "~", "\ud800"]
) | st.text(max_size=4)


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: tmp_path_factory.mktemp("root") for name in {root.repository_name for root in ROOTS}}


def is_windows(root: Root) -> bool:
    return not root.root.startswith("/")


def spelled(draw: st.DrawFn, root: Root, names: list[str]) -> str:
    """Return a place as somebody may type it: each system has its own habits."""
    base = root.root.rstrip("\\/")
    slash, ends = "/", [""]
    if is_windows(root):
        base = draw(st.sampled_from([base, base.lower(), base.upper()]))
        # Windows opens the same folder with and without them.
        slash, ends = "\\", ["", ".", " ", ". ."]
    text = base
    detours = st.sampled_from(["", f".{slash}", f"x{slash}..{slash}"])
    for name in names:
        text += slash * draw(st.integers(1, 2)) + draw(detours) + name + draw(st.sampled_from(ends))
    text += slash * draw(st.integers(0 if names or base[-1] != ":" else 1, 2))
    if is_windows(root) and draw(st.booleans()):
        text = "\\\\?\\UNC" + text[1:] if text.startswith("\\\\") else "\\\\?\\" + text
    if draw(st.booleans()):
        text = text.replace("\\", "/")
    # macOS gives names decomposed.
    text = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), text)
    return draw(wrappings).format(text)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str, RepositoryPath]:
    """Return two texts that people may type for one folder, and the place that is meant."""
    name = draw(st.sampled_from(sorted({root.repository_name for root in ROOTS})))
    names = draw(folders)
    assume(not (name == "scratch" and names[:1] in (["moser"], ["Ångström"])))
    roots = st.sampled_from([root for root in ROOTS if root.repository_name == name])
    place = RepositoryPath(name, "/".join(names))
    return spelled(draw, draw(roots), names), spelled(draw, draw(roots), names), place


@given(typed=spellings())
def test_two_spellings_of_a_folder_are_one_place_and_come_back(
    mounted: dict[str, Path], typed: tuple[str, str, RepositoryPath]
) -> None:
    one, other, place = typed

    assert resolve(one, ROOTS) == resolve(other, ROOTS) == place
    root = mounted[place.repository_name]
    assert relative(local_path(place, mounted), root) == place.path


@given(typed=spellings())
def test_a_place_that_is_typed_again_is_the_same_place(typed: tuple[str, str, RepositoryPath]) -> None:
    """What a person copies from the database finds the folder that the database means."""
    _, _, place = typed
    root = next(root.root for root in ROOTS if root.repository_name == place.repository_name)

    assert resolve(f"{root}/{place.path}", ROOTS) == place


@given(names=st.lists(hostile_names, max_size=6), slash=st.sampled_from("/\\"), root=st.sampled_from(ROOTS))
@settings(max_examples=300)
def test_nothing_that_is_typed_leaves_its_repository(
    mounted: dict[str, Path], names: list[str], slash: str, root: Root
) -> None:
    try:
        place = resolve(slash.join([root.root, *names]), ROOTS)
        here = local_path(place, mounted)
    except PathError:
        return
    assert here.resolve().is_relative_to(mounted[place.repository_name].resolve())
    assert ".." not in place.path.split("/")
    # Every database takes it.
    assert "\0" not in place.path
    assert place.path.encode("utf-8").decode("utf-8") == place.path


@given(typed=st.text(max_size=40))
@settings(max_examples=300)
def test_any_text_is_a_place_or_refused_in_our_own_words(typed: str) -> None:
    try:
        place = resolve(typed, ROOTS)
    except PathError:
        return
    assert place.repository_name in {root.repository_name for root in ROOTS}


@given(path=st.lists(hostile_names, max_size=6).map("/".join))
def test_no_row_leads_out_of_its_repository(mounted: dict[str, Path], path: str) -> None:
    try:
        here = local_path(RepositoryPath("moser", path), mounted)
    except (PathError, NotMountedError):
        return
    assert here.resolve().is_relative_to(mounted["moser"].resolve())


@pytest.mark.parametrize("name", [*WINDOWS_DEVICES, *WINDOWS_REFUSES])
def test_a_name_that_no_folder_of_windows_has_is_refused(name: str) -> None:
    """Opening a device such as NUL would wait for ever or find nothing."""
    with pytest.raises(PathError, match="name that no folder can have"):
        resolve(f"N:\\moser\\{name}\\day1", ROOTS)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_folder_is_found_in_whatever_form_its_letters_were_written(tmp_path: Path, form: str) -> None:
    folder = tmp_path / unicodedata.normalize(form, "Müller") / "day1"
    folder.mkdir(parents=True)
    place = resolve("/mnt/moser/Müller/day1", ROOTS)

    assert local_path(place, {"moser": tmp_path}).samefile(folder)


def test_a_folder_on_a_system_that_has_such_names_keeps_its_full_stop() -> None:
    assert resolve("/mnt/moser/day1./a:b", ROOTS) == RepositoryPath("moser", "day1./a:b")


@given(name=st.text("東ü\u0301", min_size=90, max_size=120))
def test_a_name_that_is_too_long_for_the_system_is_no_crash(mounted: dict[str, Path], name: str) -> None:
    try:
        here = local_path(RepositoryPath("moser", name), mounted)
    except PathError:
        return
    assert here.parent == mounted["moser"]
