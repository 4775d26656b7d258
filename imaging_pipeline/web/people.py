"""Who makes a request, and the response where nobody is signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from imaging_pipeline.errors import ForbiddenError
from imaging_pipeline.schemas.administer import sign_in
from imaging_pipeline.schemas.administer.change_log import utc_now
from imaging_pipeline.schemas.administer.sign_in import Person
from imaging_pipeline.web import htmx
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.sign_in_form import sign_in_form
from imaging_pipeline.web.submitted_fields import submitted_fields

View = TypeVar("View", bound=Callable[..., Any])

_PUBLIC = "is_public"
_FOR_ADMINISTRATORS = "is_for_administrators"


class _SignedIn(UserMixin):
    """A person as Flask-Login identifies one: by the token in the browser."""

    def __init__(self, token: str, person: Person) -> None:
        self.id = token
        self.person = person


def public(view: View) -> View:
    """Mark a view as one that needs no sign-in."""
    setattr(view, _PUBLIC, True)
    return view


def for_administrators(view: View) -> View:
    """Mark a view as one for administrators only."""
    setattr(view, _FOR_ADMINISTRATORS, True)
    return view


def restrict_to_administrators(app: Flask, blueprint: Blueprint) -> None:
    """Mark all views of a page as views for administrators only."""
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith(f"{blueprint.name}."):
            for_administrators(view)


def current_person() -> Person:
    """Return the person who makes this request.

    Raises
    ------
    ForbiddenError
        Nobody is signed in.
    """
    person = cast("Person | None", g.get("person"))
    if person is None:
        raise ForbiddenError("Nobody is signed in", remedy="Sign in.")
    return person


def start_session(token: str, person: Person) -> None:
    """Sign a person in: the browser gets the token with the response."""
    # Otherwise browsers forget the cookie when they are closed.
    session.permanent = True
    login_user(_SignedIn(token, person))
    g.person = person


def end_session() -> None:
    """Sign out: end the session of this browser, here and in the database."""
    if current_user.is_authenticated:
        sign_in.sign_out(tables(), current_user.get_id())
    logout_user()
    g.person = None


def install(app: Flask) -> None:
    """Have a site find out who makes each request, and refuse what they may not see."""
    manager = LoginManager()
    # Its variables of templates read the database, also on the page that says that it is away.
    manager.init_app(app, add_context_processor=False)
    # Sessions would end with a new address, as when a laptop moves from the office to the microscope.
    manager.session_protection = None
    manager.user_loader(_load)
    app.before_request(_guard)


def current_path() -> str:
    """Return the path of this request below the site's own prefix, to come back to."""
    return request.full_path.rstrip("?") if request.method == "GET" else request.path


def address_on_site(path: str | None) -> str:
    """Return the address of a path of this site; of its first page where the path leads elsewhere."""
    path = path or ""
    # Browsers take "//host", and a backslash for a slash, for another site.
    is_ours = path.startswith("/") and not path.startswith("//") and "\\" not in path
    # They also drop tabs and line breaks, which would make "//host" of a path with one between its slashes.
    if not is_ours or not path.isprintable():
        return url_for("home.index")
    return request.script_root + path


def sign_in_response() -> ResponseReturnValue:
    """Return the response to a request that needs a sign-in; what was typed goes along with it."""
    if htmx.wants_part():
        return htmx.message_response("session_ended.html", 401)
    if request.method == "GET":
        return redirect(url_for("sign_in.index", next=current_path()))
    form, carried = sign_in_form(current_path()), submitted_fields()
    return render_template("sign_in/index.html", form=form, carried=carried, has_ended=True), 401


def _load(token: str) -> _SignedIn | None:
    person = sign_in.person(tables(), token, now=utc_now())
    return None if person is None else _SignedIn(token, person)


def _guard() -> ResponseReturnValue | None:
    if request.endpoint == "static":
        return None
    view = current_app.view_functions.get(request.endpoint or "")
    # Who asks is not looked up: `/health` has to answer while the database is away.
    if getattr(view, _PUBLIC, False):
        return None
    g.person = current_user.person if current_user.is_authenticated else None
    # No such page: the response to that is the same for everybody.
    if view is None:
        return None
    if g.person is None:
        return sign_in_response()
    if getattr(view, _FOR_ADMINISTRATORS, False) and not g.person.is_administrator:
        raise ForbiddenError(
            "This page is for administrators",
            found=f"{g.person.username} is an experimenter",
            remedy="Ask an administrator to do it.",
        )
    return None
