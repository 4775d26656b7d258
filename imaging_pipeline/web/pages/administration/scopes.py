"""Microscope heads."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.pages.administration.subjects import RowForm, add_row_page, added, blueprint
from imaging_pipeline.web.queries import administration as queries
from imaging_pipeline.web.recorded_changes import recorded


class ScopeForm(RowForm):
    """A microscope head."""

    scope_name = StringField("Name", [InputRequired("Give a name."), Length(max=64)])
    scope_notes = StringField("Notes", [Length(max=1024)])


@blueprint.get("/scopes")
def scopes() -> ResponseReturnValue:
    """List all microscope heads."""
    return render_template("administration/scopes.html", scopes=queries.scopes(tables()))


@blueprint.route("/scopes/add", methods=["GET", "POST"])
def add_scope() -> ResponseReturnValue:
    """Add a microscope head."""
    form = ScopeForm()
    return add_row_page(form, "Add a microscope", "scopes", lambda: _add(form))


def _add(form: ScopeForm) -> str:
    name, notes = str(form.scope_name.data), form.scope_notes.data or None
    with recorded("added the microscope", name, {"notes": notes}) as bound:
        made = administration.add_scope(bound, name, notes=notes)
    return added(f"the microscope {made.name}", is_new=made.is_new)
