"""Apparatus: arenas, wheels and other things that animals move in or on."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.forms import choices
from imaging_pipeline.web.pages.administration.subjects import RowForm, add_row_page, added, blueprint
from imaging_pipeline.web.queries import administration as queries
from imaging_pipeline.web.recorded_changes import recorded


class ApparatusForm(RowForm):
    """An apparatus."""

    apparatus = StringField("Name", [InputRequired("Give a name."), Length(max=64)])
    category = SelectField("Category")
    apparatus_note = StringField("Note", [Length(max=1024)])


@blueprint.get("/apparatus")
def apparatus() -> ResponseReturnValue:
    """List all apparatus."""
    return render_template("administration/apparatus.html", apparatus=queries.apparatus(tables()))


@blueprint.route("/apparatus/add", methods=["GET", "POST"])
def add_apparatus() -> ResponseReturnValue:
    """Add an apparatus."""
    form = ApparatusForm()
    form.category.choices = choices(queries.categories(tables()))
    return add_row_page(form, "Add an apparatus", "apparatus", lambda: _add(form))


def _add(form: ApparatusForm) -> str:
    name, category = str(form.apparatus.data), str(form.category.data)
    note = form.apparatus_note.data or None
    with recorded("added the apparatus", name, {"category": category, "note": note}) as bound:
        made = administration.add_apparatus(bound, name, category, note=note)
    return added(f"the apparatus {made.name}", is_new=made.is_new)
