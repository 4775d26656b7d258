"""The blueprint of all subjects, and how a row of any of them is added."""

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
"""View → its words, in the order in which they are shown."""


class RowForm(Form):
    """A row that is added; its fields are called as the columns are, the first is the name."""

    def field_of(self, error: PipelineError) -> Field:
        """Return the field that an error is of, or the name where it is of none or of several."""
        return cast(Field, self[error.field if error.field in self else next(iter(self)).name])


def adding(form: RowForm, title: str, subject: str, add: Callable[[], str]) -> ResponseReturnValue:
    """Show a form, or add what was typed into it and go back to the list.

    Parameters
    ----------
    form
        What is typed.
    title
        What is done.
    subject
        The view with the list.
    add
        Does it, and gives what is told of it.
    """
    if form.validate_on_submit():
        try:
            told = add()
        except PipelineError as error:
            form.refuse(error, form.field_of(error))
        else:
            flash(told)
            return redirect(url_for(f"administration.{subject}"))
    status = 422 if form.is_submitted() else 200
    return render_template("administration/add.html", form=form, title=title, subject=subject), status


def added(what: str, *, is_new: bool) -> str:
    """Say that something was added, or was there."""
    return f"Added {what}." if is_new else f"There already: {what}."


@blueprint.context_processor
def _subjects() -> dict[str, Mapping[str, str]]:
    return {"subjects": SUBJECTS}
