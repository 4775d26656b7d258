"""Repositories and their roots, as people type them."""

from __future__ import annotations

from typing import cast

from flask import render_template, request
from flask.typing import ResponseReturnValue
from wtforms import Field, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from imaging_pipeline.errors import PathError, PipelineError
from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.pages.administration.subjects import RowForm, add_row_page, added, blueprint
from imaging_pipeline.web.queries import administration as queries
from imaging_pipeline.web.recorded_changes import recorded


class RepositoryForm(RowForm):
    """A repository, or roots for one."""

    repository_name = StringField(
        "Name",
        [InputRequired("Give a name."), Length(max=64)],
        description="The same name stands in the configuration of each machine that reaches it."
        " Of a repository that is there, roots are added.",
    )
    roots = TextAreaField(
        "Roots",
        [InputRequired("Give at least one root."), Length(max=8192)],
        description=r"What people type for it, one a line: N:\moser, \\server\share or /mnt/moser.",
        render_kw={"rows": 4, "spellcheck": "false"},
    )

    def field_of(self, error: PipelineError) -> Field:
        """Return the field that an error is of; all paths of this form are roots."""
        return cast(Field, self.roots) if isinstance(error, PathError) else super().field_of(error)


@blueprint.get("/repositories")
def repositories() -> ResponseReturnValue:
    """List all repositories."""
    return render_template("administration/repositories.html", repositories=queries.repositories(tables()))


@blueprint.route("/repositories/add", methods=["GET", "POST"])
def add_repository() -> ResponseReturnValue:
    """Add a repository, or roots to one."""
    form = RepositoryForm(data={"repository_name": request.args.get("name", "")})
    return add_row_page(form, "Add a repository or roots", "repositories", lambda: _add(form))


def _add(form: RepositoryForm) -> str:
    name = str(form.repository_name.data)
    roots = [line.strip() for line in str(form.roots.data).splitlines() if line.strip()]
    with recorded("added roots to the repository", name, {"roots": roots}) as bound:
        made = administration.add_repository(bound, name, roots)
    messages = [
        *([added(f"the repository {made.name}", is_new=True)] if made.is_new else []),
        *(added(f"the root {root}", is_new=True) for root in made.new_roots),
        *(added(f"the root {root}", is_new=False) for root in made.known_roots),
    ]
    return " ".join(messages)
