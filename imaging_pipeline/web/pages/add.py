"""Add a folder: what is in it and what that would do, and then the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, Field, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from imaging_pipeline.errors import (
    InputError,
    NotMountedError,
    NotYetHereError,
    PipelineError,
    StillCopyingError,
)
from imaging_pipeline.schemas.register import requests
from imaging_pipeline.schemas.register.consent import Consent, refuse_more, to_what_was_shown
from imaging_pipeline.schemas.register.preview import Preview, preview
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.forms import Form, choices
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.people import me
from imaging_pipeline.web.queries import choices as queries
from imaging_pipeline.web.queries import folders
from imaging_pipeline.web.recorded_changes import kept

blueprint = Blueprint("add", __name__, url_prefix="/add")
PAGE = Page(blueprint, "Add a folder")

# What keeps a folder from being looked at here and now, and is no reason not to request it.
_UNSEEN = (NotMountedError, NotYetHereError, StillCopyingError)


_MAY_BE_EMPTY = ("setup", "scope_name", "ops_name", "sessiontype")
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
    register_uncurated = BooleanField("Register again by itself when Suite2p has run")
    base_folder_note = TextAreaField("Note", [Length(max=4096)])
    agreed = HiddenField()

    def inputs(self) -> dict[str, Any]:
        """Return the columns as ``BaseFolder.add`` takes them."""
        typed = {name: value for name, value in self.data.items() if name not in ("agreed", "csrf_token")}
        return typed | {name: typed[name] or None for name in _MAY_BE_EMPTY}

    def consent(self) -> Consent | None:
        """Return what was shown before, or None where nothing was, or where that cannot be read."""
        try:
            shown = json.loads(self.agreed.data or "null")
        except ValueError:
            return None
        is_consent = isinstance(shown, dict) and all(isinstance(number, int) for number in shown.values())
        return shown if is_consent else None


@blueprint.route("/", methods=["GET", "POST"])
def index() -> ResponseReturnValue:
    """Show the form, a preview of what was typed into it, or make the request."""
    form = _offered(AddForm(data=_begun()) if request.method == "GET" else AddForm())
    if not form.is_submitted():
        return render_template("add/index.html", form=form)
    if not form.validate():
        return render_template("add/index.html", form=form), 422
    seen = None
    try:
        seen, unseen = _looked_at(form.inputs())
        if request.form.get("do") == "register":
            _require_sessions(seen)
            if _is_agreed(form, seen):
                return _added(form, seen)
    except PipelineError as error:
        form.refuse(error, _field(form, error))
        return render_template("add/index.html", form=form, seen=seen), 422
    form.agreed.data = json.dumps(to_what_was_shown(seen.purged) if seen else {})
    return render_template(
        "add/index.html", form=form, seen=seen, unseen=unseen, asked=request.form.get("do") == "register"
    )


@blueprint.get("/animals")
def animals() -> ResponseReturnValue:
    """Offer the animals that look like what is being typed."""
    found = queries.animals_like(tables(), request.args.get("animal", ""))
    return render_template("add/_animals.html", animals=found)


def _begun() -> Mapping[str, Any]:
    """Return what the form begins with: an earlier request, or the page's own user."""
    number = request.args.get("again", "")
    if number.isascii() and number.isdigit() and len(number) < 10:
        return folders.inputs_of(tables(), int(number))
    return {"username": me().username, "combined": "no"}


def _offered(form: AddForm) -> AddForm:
    bound = tables()
    # Whoever administers may add for others; a name that was taken off the list is not offered.
    names = queries.users(bound) if me().is_administrator else [me().username]
    form.username.choices = choices(names)
    form.experiment_type.choices = choices(queries.experiment_types(bound))
    form.setup.choices = choices(queries.setups(bound), none="not said")
    form.scope_name.choices = choices(queries.scopes(bound), none="not said")
    form.sessiontype.choices = choices(queries.session_types(bound), none="not said")
    form.ops_name.choices = choices(queries.option_sets(bound), none="do not run Suite2p")
    return form


def _looked_at(inputs: Mapping[str, Any]) -> tuple[Preview | None, PipelineError | None]:
    """Return the preview, or why there is none for a request that may be made all the same."""
    try:
        return preview(tables(), inputs), None
    except _UNSEEN as error:
        return None, error


def _require_sessions(seen: Preview | None) -> None:
    if seen is not None and seen.registers_nothing:
        raise InputError(
            "Nothing of this folder would be registered: nothing was requested",
            remedy="The preview says why of each session.",
        )


def _is_agreed(form: AddForm, seen: Preview | None) -> bool:
    """Return True if nothing is deleted that was not shown before."""
    if seen is None or not seen.purged:
        return True
    shown = form.consent()
    if shown is None:
        return False
    refuse_more(shown, seen.purged)
    return True


def _added(form: AddForm, seen: Preview | None) -> ResponseReturnValue:
    consent = to_what_was_shown(seen.purged) if seen else {}
    inputs = form.inputs()
    with kept("added the folder", inputs["path"], inputs) as bound:
        (number,) = requests.insert(bound, [inputs], consent=consent)
    flash(f"Request {number} is made. It turns green here as soon as a worker has carried it out.")
    return redirect(url_for("folders.one", number=number))


def _field(form: AddForm, error: PipelineError) -> Field:
    """Return the field that an error is of; one that names none was met in the folder."""
    return cast(Field, form[error.field if error.field in form else "path"])
