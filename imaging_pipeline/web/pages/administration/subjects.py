"""The blueprint of all subjects of the administration, and the form that adds a row to one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import Field

from imaging_pipeline.errors import PipelineError
from imaging_pipeline.web.forms import Form

blueprint = Blueprint("administration", __name__, url_prefix="/administration")

SUBJECTS = {
    "index": "Users",
    "repositories": "Repositories",
    "setups": "Setups",
    "scopes": "Microscopes",
    "apparatus": "Apparatus",
    "colony": "Colony",
    "changes": "Changes",
}
"""View → its label, in the order of the tabs."""


class RowForm(Form):
    """A form for a new row; its fields are named like the columns, and the first is the row's name."""

    def field_of(self, error: PipelineError) -> Field:
        """Return the field that an error is of, or the name where it is of none or of several."""
        # The token of the form comes after its own fields, so the first one is the name.
        return cast(Field, self[error.field if error.field in self else next(iter(self)).name])


def add_row_page(form: RowForm, title: str, subject: str, add: Callable[[], str]) -> ResponseReturnValue:
    """Show a form, or add the row that was typed and redirect to the list.

    Parameters
    ----------
    form
        The form of the row.
    title
        Title of the page.
    subject
        The view with the list, one of `SUBJECTS`.
    add
        Adds the row, and returns a message for the person.
    """
    if form.validate_on_submit():
        try:
            message = add()
        except PipelineError as error:
            form.add_error(error, form.field_of(error))
        else:
            flash(message)
            return redirect(url_for(f"administration.{subject}"))
    status = 422 if form.is_submitted() else 200
    return render_template("administration/add.html", form=form, title=title, subject=subject), status


def added(what: str, *, is_new: bool) -> str:
    """Return the message that something was added, or existed already."""
    return f"Added {what}." if is_new else f"There already: {what}."


@blueprint.context_processor
def _subjects() -> dict[str, Mapping[str, str]]:
    return {"subjects": SUBJECTS}
