"""Add a folder: a preview of what would be registered, and then the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, Field, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from imaging_pipeline import strict_json
from imaging_pipeline.errors import (
    InputError,
    NotMountedError,
    NotYetHereError,
    PipelineError,
    StillCopyingError,
)
from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.schemas.register import requests
from imaging_pipeline.schemas.register.consent import Consent, check_consent, consent_to
from imaging_pipeline.schemas.register.preview import Preview
from imaging_pipeline.schemas.register.preview import preview as preview_of
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.forms import Form, choices
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.people import current_person
from imaging_pipeline.web.queries import choices as queries
from imaging_pipeline.web.queries import folders
from imaging_pipeline.web.recorded_changes import recorded

blueprint = Blueprint("add", __name__, url_prefix="/add")
PAGE = Page(blueprint, "Add a folder")

# Errors of a folder that cannot be read here and now, but can be requested all the same.
_OBSTACLES = (NotMountedError, NotYetHereError, StillCopyingError)
# Fields whose empty choice is sent as '' and stored as null.
_MAY_BE_EMPTY = ("setup", "scope_name", "ops_name", "sessiontype")
_DAMAGED = {
    str(DamagedTifs.REFUSE): "refuse the folder",
    str(DamagedTifs.CUT): "cut: take the frames before the damage",
    str(DamagedTifs.LEAVE_OUT): "leave the file out",
}
_COMBINED = {"no": "each by itself", "yes": "combined as one recording"}


class AddForm(Form):
    """A request for a folder."""

    username = SelectField("Experimenter")
    path = StringField("Folder", [InputRequired("Paste the folder's path."), Length(max=1024)])
    animal = StringField("Animal", [InputRequired("Give the animal's name or identifier."), Length(max=128)])
    experiment_type = SelectField("Experiment type")
    combined = RadioField("Sessions", choices=_COMBINED)
    setup = SelectField("Setup")
    scope_name = SelectField("Microscope")
    ops_name = SelectField("Suite2p options")
    sessiontype = SelectField("The animal did")
    damaged_tifs = SelectField("Damaged tifs", choices=_DAMAGED)
    register_uncurated = BooleanField("Register again by itself when Suite2p has run")
    base_folder_note = TextAreaField("Note", [Length(max=4096)])
    agreed = HiddenField()

    def inputs(self) -> dict[str, Any]:
        """Return the columns for ``BaseFolder.add``."""
        columns = {name: value for name, value in self.data.items() if name not in ("agreed", "csrf_token")}
        return columns | {name: columns[name] or None for name in _MAY_BE_EMPTY}

    def consent(self) -> Consent | None:
        """Return the consent to what was shown before; None where there is none that can be read."""
        try:
            shown: Any = strict_json.loads(self.agreed.data or "null")
        except ValueError:
            return None
        is_consent = isinstance(shown, dict) and all(isinstance(number, int) for number in shown.values())
        return shown if is_consent else None


@blueprint.route("/", methods=["GET", "POST"])
def index() -> ResponseReturnValue:
    """Show the form, show a preview of the request, or make the request."""
    form = _with_choices(AddForm(data=_initial_values()) if request.method == "GET" else AddForm())
    if not form.is_submitted():
        return render_template("add/index.html", form=form)
    if not form.validate():
        return render_template("add/index.html", form=form), 422
    preview = None
    try:
        preview, obstacle = _preview(form.inputs())
        if request.form.get("do") == "register":
            _require_sessions(preview)
            if _has_consent(form, preview):
                return _add(form, preview)
    except PipelineError as error:
        form.add_error(error, _field(form, error))
        return render_template("add/index.html", form=form, preview=preview), 422
    # What this response shows is what the next click agrees to.
    form.agreed.data = json.dumps(consent_to(preview.purged) if preview else {})
    return render_template(
        "add/index.html",
        form=form,
        preview=preview,
        obstacle=obstacle,
        is_registering=request.form.get("do") == "register",
    )


@blueprint.get("/animals")
def animals() -> ResponseReturnValue:
    """Return suggestions for the animal that is being typed."""
    suggestions = queries.animals_like(tables(), request.args.get("animal", ""))
    return render_template("add/_animals.html", animals=suggestions)


def _initial_values() -> Mapping[str, Any]:
    """Return the initial values of the form: those of an earlier request, or the person's own name."""
    number = request.args.get("again", "")
    # Nine digits fit into the column, an int32.
    if number.isascii() and number.isdigit() and len(number) < 10:
        return folders.inputs_of(tables(), int(number))
    return {"username": current_person().username, "combined": "no"}


def _with_choices(form: AddForm) -> AddForm:
    bound = tables()
    # Administrators may add for others, but not for people who are disabled.
    names = queries.users(bound) if current_person().is_administrator else [current_person().username]
    form.username.choices = choices(names)
    form.experiment_type.choices = choices(queries.experiment_types(bound))
    form.setup.choices = choices(queries.setups(bound), none="not said")
    form.scope_name.choices = choices(queries.scopes(bound), none="not said")
    form.sessiontype.choices = choices(queries.session_types(bound), none="not said")
    form.ops_name.choices = choices(queries.option_sets(bound), none="do not run Suite2p")
    return form


def _preview(inputs: Mapping[str, Any]) -> tuple[Preview | None, PipelineError | None]:
    """Return the preview, or the error for which there is none although the request can be made."""
    try:
        return preview_of(tables(), inputs), None
    except _OBSTACLES as error:
        return None, error


def _require_sessions(preview: Preview | None) -> None:
    if preview is not None and preview.registers_nothing:
        raise InputError(
            "Nothing of this folder would be registered: nothing was requested",
            remedy="The preview says why of each session.",
        )


def _has_consent(form: AddForm, preview: Preview | None) -> bool:
    """Return True if nothing is deleted that was not shown before."""
    if preview is None or not preview.purged:
        return True
    shown = form.consent()
    if shown is None:
        return False
    check_consent(shown, preview.purged)
    return True


def _add(form: AddForm, preview: Preview | None) -> ResponseReturnValue:
    consent = consent_to(preview.purged) if preview else {}
    inputs = form.inputs()
    with recorded("added the folder", inputs["path"], inputs) as bound:
        (number,) = requests.insert(bound, [inputs], consent=consent)
    flash(f"Request {number} is made. It turns green here as soon as a worker has carried it out.")
    return redirect(url_for("folders.one", number=number))


def _field(form: AddForm, error: PipelineError) -> Field:
    """Return the field that an error is of; one that names none is of the folder."""
    return cast(Field, form[error.field if error.field in form else "path"])
