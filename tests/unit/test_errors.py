import pytest

from imaging_pipeline import errors
from imaging_pipeline.choices import among
from imaging_pipeline.errors import (
    ConfigError,
    FormatError,
    InputError,
    ParsedMessage,
    PipelineError,
    Responsible,
    TruncatedError,
    format_message,
    parse_message,
)

# What DataJoint keeps of an error in a job's row, with the name of its class before.
JOB_CHARACTERS = 2047

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PipelineError)]


def test_an_error_tells_file_value_remedy_and_whose_move():
    error = FormatError("The stack is damaged", path="a.tif", found=3, allowed="4 or 5", remedy="Copy it.")

    assert str(error) == (
        "The stack is damaged. File: a.tif. Found: 3. Allowed: 4 or 5. What to do: Copy it."
        " The experimenter's move."
    )


def test_values_that_are_too_long_for_a_jobs_row_are_cut_and_never_the_remedy():
    names = ", ".join(f"mouse_00001_{number:05d}.tif" for number in range(500))
    error = InputError("Some are wrong", path="p" * 300, found=names, allowed=names, remedy="Rename them.")

    told = f"InputError: {error}"

    assert len(told) <= JOB_CHARACTERS
    assert "Found: mouse_00001_00000.tif" in told
    assert "Allowed: mouse_00001_00000.tif" in told
    assert "characters more). " in told
    assert told.endswith("What to do: Rename them. The experimenter's move.")
    assert error.found == names


def test_one_long_value_may_take_the_room_of_both():
    error = PipelineError("It failed", found="x" * 1500, remedy="Try again.")

    assert "x" * 1500 in str(error)


def test_an_error_gets_its_file_and_whose_move_that_makes_it():
    error = TruncatedError("It ends", found="3 bytes", allowed="4", remedy="Copy it.")

    told = error.of("ops.npy", Responsible.ADMINISTRATOR)

    assert isinstance(told, TruncatedError)
    assert str(told) == (
        "It ends. File: ops.npy. Found: 3 bytes. Allowed: 4. What to do: Copy it. The administrator's move."
    )


def test_an_error_names_the_field_that_it_is_about_beside_its_message():
    error = InputError("It is wrong", remedy="Correct it.", field="animal")

    assert error.field == "animal"
    assert "Field" not in str(error)
    assert error.of("x", Responsible.ADMINISTRATOR).field == "animal"
    assert error.of("x", Responsible.ADMINISTRATOR, field="roots").field == "roots"
    assert InputError("It is wrong", remedy="Correct it.").field is None


def test_what_to_do_begins_with_a_capital_and_else_stays_as_it_was_written():
    error = ConfigError("A port is no number", remedy="correct database.port (DJ_PORT).")

    assert error.remedy == "Correct database.port (DJ_PORT)."
    assert "What to do: Correct database.port (DJ_PORT). The administrator's move." in str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_can_be_made_without_what_to_do(kind):
    with pytest.raises(TypeError, match="remedy"):
        kind("It failed")


def test_a_message_in_a_jobs_row_says_again_what_was_told_to_it():
    error = FormatError("The stack: damaged", path="a.tif", found="What to do: x", remedy="Copy it. Wait.")

    assert parse_message(f"FormatError: {error}") == ParsedMessage(
        Responsible.EXPERIMENTER,
        "The stack: damaged. File: a.tif. Found: What to do: x.",
        "Copy it. Wait.",
        "FormatError",
    )


@pytest.mark.parametrize("responsible", list(Responsible))
@pytest.mark.parametrize(("kind", "attempt", "deaths"), [("", 0, 0), ("StoreError", 2, 0), ("", 12, 3)])
def test_what_is_told_is_read_again(responsible, kind, attempt, deaths):
    wanted = ParsedMessage(
        responsible, "It failed (two\nlines).", "Wait: it may help.", kind, attempt, deaths
    )

    assert parse_message(format_message(wanted)) == wanted


def test_a_message_that_is_none_of_ours_is_a_bug():
    assert parse_message("KeyError: 'x'") == ParsedMessage(Responsible.DEVELOPER, "'x'", "", "KeyError")
    assert parse_message("") == ParsedMessage(Responsible.DEVELOPER, "", "")


def test_a_message_that_is_too_long_for_a_jobs_row_keeps_its_end():
    text = format_message(ParsedMessage(Responsible.DEVELOPER, "x" * 5000, "Report it.", "ValueError", 3, 1))

    assert len(text) <= JOB_CHARACTERS
    assert text.endswith("What to do: Report it. A bug: please report it.")


@pytest.mark.parametrize(
    ("value", "known", "told"),
    [
        ("fats", ["slow", "fast"], ("fats (like fast?)", "fast, slow")),
        ("mouse", [], ("mouse", "none is there yet")),
        (
            "mose12",
            [f"mouse{number:02d}" for number in range(20)],
            ("mose12 (like mouse12, mouse19, mouse18?)", None),
        ),
        (
            "x",
            [f"mouse{number:02d}" for number in range(12)],
            ("x", f"{', '.join(f'mouse{number:02d}' for number in range(10))} and 2 more"),
        ),
    ],
)
def test_a_name_that_is_not_there_is_told_with_those_that_are(value, known, told):
    assert among(value, known) == told


def test_no_part_of_a_message_can_act_on_a_terminal():
    error = FormatError(
        "The name \x1b[2J is none", path="a\rb.npy", found="\x07", allowed="\x9b", remedy="Copy it."
    )

    assert str(error).isprintable()
    assert r"The name \x1b[2J is none. File: a\rb.npy. Found: \x07. Allowed: \x9b." in str(error)
