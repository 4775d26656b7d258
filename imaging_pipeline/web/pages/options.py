"""Suite2p option sets: the list, one set, two compared, and new ones from a file or from another set."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import FileStorage
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from imaging_pipeline.errors import InputError, PipelineError, Responsible
from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.suite2p_runner.option_text import between, from_default
from imaging_pipeline.suite2p_runner.options import load_options
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.forms import Form
from imaging_pipeline.web.htmx import rendered
from imaging_pipeline.web.option_form import option_form
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.paging import page_number
from imaging_pipeline.web.queries import options as queries
from imaging_pipeline.web.recorded_changes import recorded

blueprint = Blueprint("options", __name__, url_prefix="/options")
PAGE = Page(blueprint, "Options")

_SUFFIXES = (".npy", ".json")


class UploadForm(Form):
    """A new option set from a file."""

    name = StringField("Name", [InputRequired("Give it a name."), Length(max=64)])
    file = FileField("File", [FileRequired("Choose a file.")])


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List all sets, the newest first."""
    page = queries.option_sets(tables(), page_number())
    return rendered(
        "options/index.html", "options/_list.html", option_sets=page, names=queries.names(tables())
    )


# Below `set`, so that a set may be called "add" or "compare".
@blueprint.get("/set/<name>")
def one(name: str) -> ResponseReturnValue:
    """Show a set: what differs from Suite2p's defaults, and what has no effect."""
    shown = queries.option_set(tables(), name)
    return render_template(
        "options/one.html",
        shown=shown,
        differences=from_default(shown.settings),
        same_content=queries.with_same_content(tables(), shown),
        names=[other for other in queries.names(tables()) if other != name],
    )


@blueprint.get("/set/<name>/file")
def file(name: str) -> ResponseReturnValue:
    """Return a set as it was added, as a JSON file."""
    shown = queries.option_set(tables(), name)
    response = Response(json.dumps(shown.given, indent=4) + "\n", mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.json")
    return response


@blueprint.get("/compare")
def compare() -> ResponseReturnValue:
    """Show the settings in which two sets differ."""
    first, second = (
        queries.option_set(tables(), request.args.get(which, "")) for which in ("first", "second")
    )
    differences = between(first.settings, second.settings)
    return render_template("options/compare.html", first=first, second=second, differences=differences)


@blueprint.route("/add", methods=["GET", "POST"])
def add() -> ResponseReturnValue:
    """Add a set from a file that was saved by Suite2p's window, or a JSON file."""
    form = UploadForm()
    if not form.validate_on_submit():
        return render_template("options/add.html", form=form), 422 if form.is_submitted() else 200
    try:
        options = _read_upload(form.file.data)
    except PipelineError as error:
        form.add_error(error, form.file)
    else:
        try:
            return _add(str(form.name.data), options, {"file": str(form.file.data.filename)})
        except InputError as error:
            form.add_error(error, form.name)
    return render_template("options/add.html", form=form), 422


@blueprint.route("/set/<name>/copy", methods=["GET", "POST"])
def copy(name: str) -> ResponseReturnValue:
    """Add a copy of a set with the changes that are typed."""
    original = queries.option_set(tables(), name)
    form = option_form(original.settings)
    if form.validate_on_submit() and (options := form.options()) is not None:
        try:
            return _add(str(form.new_name.data), options, {"copied from": name})
        except InputError as error:
            form.add_error(error, form.new_name)
    status = 422 if form.is_submitted() else 200
    return render_template("options/copy.html", form=form, original=original), status


def _add(name: str, options: Mapping[str, Any], origin: Mapping[str, str]) -> ResponseReturnValue:
    with recorded("added the option set", name, origin) as bound:
        added = administration.add_options(bound, name, options)
    flash(f"Added the option set {added.name}." if added.is_new else f"{added.name} is there already.")
    return redirect(url_for("options.one", name=added.name))


def _read_upload(upload: FileStorage) -> Mapping[str, Any]:
    """Read an uploaded file by the reader that takes plain values only."""
    # Some browsers send the whole path, on Windows with backslashes.
    name = PurePath((upload.filename or "").replace("\\", "/")).name
    suffix = PurePath(name).suffix.lower()
    if suffix not in _SUFFIXES:
        raise InputError(
            "An option set is a file of another kind",
            found=name,
            allowed=" or ".join(_SUFFIXES),
            remedy="Save the options from Suite2p's window.",
        )
    with tempfile.TemporaryDirectory(prefix="imaging_pipeline_") as folder:
        # Not under the name that was sent: that could lead out of the folder.
        path = Path(folder) / f"options{suffix}"
        upload.save(path)
        try:
            return load_options(path)
        except PipelineError as error:
            raise error.of(name, Responsible.EXPERIMENTER) from error
