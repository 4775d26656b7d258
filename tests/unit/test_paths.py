import os
from pathlib import Path

import pytest

from imaging_pipeline.errors import NotMountedError, PathError, Responsible
from imaging_pipeline.paths import RepositoryPath, Root, clean, local_path, relative, resolve

ROOTS = (
    Root("moser", "N:\\moser\\"),
    Root("moser", "\\\\forskning.no\\data\\moser"),
    Root("moser", "/mnt/moser/"),
    Root("scratch", "F:\\"),
    Root("archive", "N:\\moser\\archive"),
    Root("archive", "/mnt/moser/archive"),
)


def test_the_longest_root_owns_the_folder():
    assert resolve("n:/Moser/Archive/day1", ROOTS) == RepositoryPath("archive", "day1")


def test_a_name_that_only_begins_like_a_root_is_not_below_it():
    with pytest.raises(PathError, match="no repository"):
        resolve("/mnt/moser2/day1", ROOTS)


def test_posix_paths_are_told_apart_by_case():
    with pytest.raises(PathError, match="no repository"):
        resolve("/mnt/Moser/day1", ROOTS)


def test_a_folder_below_no_root_is_refused_with_the_known_roots():
    with pytest.raises(PathError, match="/mnt/moser/ \\(moser\\)") as error:
        resolve("/home/anna/day1", ROOTS)

    assert error.value.responsible is Responsible.EXPERIMENTER


def test_a_root_with_two_owners_is_an_error_that_lists_both():
    roots = (*ROOTS, Root("newcomer", "f:/"))

    with pytest.raises(PathError, match="scratch.*newcomer") as error:
        resolve("F:\\day1", roots)

    assert error.value.responsible is Responsible.ADMINISTRATOR


@pytest.mark.parametrize("typed", ["", "day1", "moser\\day1", "F:day1", "~/day1", "\\\\server"])
def test_a_path_that_is_not_whole_is_refused(typed):
    with pytest.raises(PathError, match="not the whole path"):
        resolve(typed, ROOTS)


@pytest.mark.parametrize(
    "typed",
    ["/mnt/moser/../secret", "/mnt/moser/archive/../day1", "N:\\moser\\x\\..\\archive\\day1", "F:\\..\\day1"],
)
def test_two_dots_that_lead_to_another_place_are_refused(typed):
    with pytest.raises(PathError, match="leaves"):
        resolve(typed, ROOTS)


def test_two_dots_inside_a_repository_are_followed():
    assert resolve("/mnt/moser/day1/../day2", ROOTS) == RepositoryPath("moser", "day2")


def test_a_root_that_is_not_absolute_is_the_administrators_to_mend():
    with pytest.raises(PathError, match="'scratch'") as error:
        resolve("/mnt/moser/day1", [Root("scratch", "data")])

    assert error.value.responsible is Responsible.ADMINISTRATOR


def test_quotes_and_blanks_around_a_path_are_taken_off():
    assert clean(' "N:\\moser\\day 1" \r\n') == "N:\\moser\\day 1"


def test_a_repository_that_is_not_mounted_is_the_administrators_to_mend(tmp_path):
    with pytest.raises(NotMountedError, match="'moser' is not mounted") as error:
        local_path(RepositoryPath("moser", "day1"), {"moser": tmp_path / "away"})

    assert error.value.responsible is Responsible.ADMINISTRATOR


@pytest.mark.parametrize("path", ["../secret", "day1/../../secret", "/etc", "day1//x", "."])
def test_a_place_never_leads_out_of_its_repository(tmp_path, path):
    with pytest.raises(PathError, match="leaves"):
        local_path(RepositoryPath("moser", path), {"moser": tmp_path})


@pytest.mark.skipif(os.name == "nt", reason="making a link needs a privilege on Windows")
def test_a_link_out_of_the_repository_is_refused(tmp_path):
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (root / "day1").symlink_to(outside)

    with pytest.raises(PathError, match="leaves"):
        local_path(RepositoryPath("moser", "day1/x.tif"), {"moser": root})
    with pytest.raises(PathError, match="leaves"):
        relative(root / "day1", root)


def test_a_path_outside_the_repository_has_no_relative_path(tmp_path):
    with pytest.raises(PathError, match="leaves"):
        relative(Path("/"), tmp_path)
