"""Users: their names, roles and passwords."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from imaging_pipeline import passwords
from imaging_pipeline.errors import ForbiddenError
from imaging_pipeline.schemas.administer import administration, people
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.pages.administration.subjects import RowForm, add_row_page, added, blueprint
from imaging_pipeline.web.people import current_person
from imaging_pipeline.web.queries import administration as queries

_ROLES = {"experimenter": "experimenter", "administrator": "administrator"}


class UserForm(RowForm):
    """A person."""

    username = StringField(
        "Username",
        [InputRequired("Give a name."), Length(max=64)],
        description="Requests are made with it, and people sign in by it.",
    )
    first_name = StringField("First name", [Length(max=128)])
    last_name = StringField("Last name", [Length(max=128)])
    email = StringField("Email", [Length(max=255)])
    role = SelectField("Role", choices=_ROLES)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List all people."""
    return render_template("administration/users.html", users=queries.users(tables()))


@blueprint.route("/users/add", methods=["GET", "POST"])
def add_user() -> ResponseReturnValue:
    """Add a person; their password is set in another step."""
    form = UserForm()
    return add_row_page(form, "Add a user", "index", lambda: _add(form))


@blueprint.get("/user")
def user() -> ResponseReturnValue:
    """Show a person, with the forms to change their account."""
    return _page(queries.user(tables(), request.args.get("username", "")))


@blueprint.post("/user/password")
def reset_password() -> ResponseReturnValue:
    """Generate a new password for a person, and show it in this response alone."""
    username = _other_user()
    password = passwords.generated()
    people.set_password(tables(), username, password, by=current_person().username)
    response = make_response(_page(queries.user(tables(), username), password))
    # Otherwise the browser's back button would show the password again.
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/user/active")
def set_active() -> ResponseReturnValue:
    """Disable a person, or enable them again."""
    username, is_active = _other_user(), request.form.get("is_active") == "yes"
    people.set_active(tables(), username, is_active=is_active, by=current_person().username)
    flash(f"{username} is {'enabled' if is_active else 'disabled'}.")
    return redirect(url_for("administration.user", username=username))


@blueprint.post("/user/role")
def set_role() -> ResponseReturnValue:
    """Make a person an administrator or an experimenter."""
    username = _other_user()
    role = "administrator" if request.form.get("role") == "administrator" else "experimenter"
    people.set_administrator(
        tables(), username, is_administrator=role == "administrator", by=current_person().username
    )
    flash(f"{username} is an {role}.")
    return redirect(url_for("administration.user", username=username))


def _page(shown: queries.UserRow, password: str | None = None) -> str:
    is_me = shown.username == current_person().username
    return render_template(
        "administration/user.html", shown=shown, password=password, is_me=is_me, roles=_ROLES
    )


def _other_user() -> str:
    """Return the user to be changed; it has to be somebody else, so that nobody locks themselves out."""
    username = request.form.get("username", "")
    shown = queries.user(tables(), username)
    if shown.username == current_person().username:
        raise ForbiddenError(
            "Nobody does this with their own account",
            found=username,
            remedy="Ask another administrator. Your password you change by a click on your name.",
        )
    return shown.username


def _add(form: UserForm) -> str:
    is_staff = form.role.data == "administrator"
    values = {name: form[name].data or None for name in ("email", "first_name", "last_name")}
    name = str(form.username.data)
    made = administration.add_user(tables(), name, is_staff=is_staff, by=current_person().username, **values)
    return f"{added(f'the user {made.name}', is_new=made.is_new)} A click on the name leads to a password."
