"""Setups: their calibrations, and the meaning of each recorded line."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from flask import render_template, request
from flask.typing import ResponseReturnValue
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.schemas.administer.setup_parts import read_parts
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.forms import choices
from imaging_pipeline.web.pages.administration.subjects import RowForm, add_row_page, added, blueprint
from imaging_pipeline.web.paging import page_number
from imaging_pipeline.web.queries import setups as queries
from imaging_pipeline.web.queries.choices import experiment_types
from imaging_pipeline.web.recorded_changes import recorded

_EXAMPLE = """{
  "Sync": [
    {"sync_name": "frames",
     "generic_name": "frames_imaging",
     "polarity": "rising",
     "master": true}
  ],
  "Tracking1D": {"encoder_steps": 1024}
}"""


class SetupForm(RowForm):
    """A calibration of a setup."""

    setup_name = StringField("Name", [InputRequired("Give a name."), Length(max=64)])
    # Browsers accept years of six digits; Python's dates end with the year 9999.
    setup_date = DateField(
        "First day of the calibration", [InputRequired("Give a day.")], render_kw={"max": "9999-12-31"}
    )
    experiment_type = SelectField("Experiment type")
    setup_note = StringField("Note", [Length(max=1024)])
    parts = TextAreaField(
        "Parts",
        [Length(max=65536)],
        description="JSON, as the file of imaging-pipeline setup add. A calibration that is there gets the"
        " parts that it lacks.",
        render_kw={"rows": 14, "spellcheck": "false", "class": "code", "placeholder": _EXAMPLE},
    )


@blueprint.get("/setups")
def setups() -> ResponseReturnValue:
    """List all calibrations."""
    return render_template("administration/setups.html", setups=queries.setups(tables(), page_number()))


@blueprint.get("/setup")
def setup() -> ResponseReturnValue:
    """Show a calibration with its streams and other parts."""
    shown = queries.setup(tables(), request.args.get("name", ""), request.args.get("day", ""))
    return render_template("administration/setup.html", shown=shown)


@blueprint.route("/setups/add", methods=["GET", "POST"])
def add_setup() -> ResponseReturnValue:
    """Add a calibration, or parts to one."""
    form = SetupForm(data=_initial_values())
    form.experiment_type.choices = choices(experiment_types(tables()))
    return add_row_page(form, "Add a calibration or parts", "setups", lambda: _add(form))


def _initial_values() -> dict[str, Any]:
    """Return the initial values of the form: those of an existing calibration."""
    arguments = request.args
    try:
        day = date.fromisoformat(arguments.get("day", ""))
    except ValueError:
        day = None
    return {
        "setup_name": arguments.get("name", ""),
        "setup_date": day,
        "experiment_type": arguments.get("type"),
    }


def _add(form: SetupForm) -> str:
    name, day = str(form.setup_name.data), cast(date, form.setup_date.data)
    note, typed = form.setup_note.data or None, str(form.parts.data or "")
    parts = dict(read_parts(typed.encode())) if typed else {}
    details = {"day": day.isoformat(), "experiment type": form.experiment_type.data, "note": note}
    with recorded("added the setup", name, {**details, "parts": parts}) as bound:
        made = administration.add_setup(
            bound, name, day, str(form.experiment_type.data), note=note, parts=parts
        )
    messages = [added(f"the setup {made.name} of {made.setup_date}", is_new=made.is_new)]
    messages += [added(f"the part {part}", is_new=True) for part in made.new_parts]
    messages += [added(f"the part {part}", is_new=False) for part in made.known_parts]
    return " ".join(messages)
