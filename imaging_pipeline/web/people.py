"""Who makes a request, and what is answered where nobody is signed in."""

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
from imaging_pipeline.web.submitted_fields import typed_fields

View = TypeVar("View", bound=Callable[..., Any])

_PUBLIC = "is_public"
_FOR_ADMINISTRATORS = "is_for_administrators"


class _SignedIn(UserMixin):
    """A person as Flask-Login holds one: by the token in the browser."""

    def __init__(self, token: str, person: Person) -> None:
        self.id = token
        self.person = person


def public(view: View) -> View:
    """Let a view be called by whoever is not signed in."""
    setattr(view, _PUBLIC, True)
    return view


def for_administrators(view: View) -> View:
    """Let a view be called by administrators only."""
    setattr(view, _FOR_ADMINISTRATORS, True)
    return view


def close(app: Flask, blueprint: Blueprint) -> None:
    """Let all views of a page be called by administrators only."""
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith(f"{blueprint.name}."):
            for_administrators(view)


def me() -> Person:
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


def enter(token: str, person: Person) -> None:
    """Return the browser a token, from now on."""
    session.permanent = True
    login_user(_SignedIn(token, person))
    g.person = person


def leave() -> None:
    """End what the browser holds, here and in the database."""
    if current_user.is_authenticated:
        sign_in.sign_out(tables(), current_user.get_id())
    logout_user()
    g.person = None


def install(app: Flask) -> None:
    """Let a site know who makes a request, and refuse what they may not see."""
    manager = LoginManager()
    # Its words for templates would ask the database, also for the page that says that it is away.
    manager.init_app(app, add_context_processor=False)
    # A laptop that moves from the office to the microscope has another address.
    manager.session_protection = None
    manager.user_loader(_loaded)
    app.before_request(_guard)


def place_here() -> str:
    """Return the place of this request below the site's own, for the way back."""
    return request.full_path.rstrip("?") if request.method == "GET" else request.path


def way_back(place: str | None) -> str:
    """Return a place of this site as an address; the first page where it is none of this site."""
    place = place or ""
    # Browsers take "//host", and a backslash for a slash, for another site.
    is_ours = place.startswith("/") and not place.startswith("//") and "\\" not in place
    if not is_ours or not place.isprintable():
        return url_for("home.index")
    return request.script_root + place


def sign_in_answer() -> ResponseReturnValue:
    """Answer a request that needs a person: in its own form, and so that nothing typed is lost."""
    if htmx.is_asking():
        return htmx.message("session_ended.html", 401, place=request.headers.get("HX-Current-URL", ""))
    if request.method == "GET":
        return redirect(url_for("sign_in.index", next=place_here()))
    form, kept = sign_in_form(place_here()), typed_fields()
    return render_template("sign_in/index.html", form=form, kept=kept, has_ended=True), 401


def _loaded(token: str) -> _SignedIn | None:
    person = sign_in.person(tables(), token, now=utc_now())
    return None if person is None else _SignedIn(token, person)


def _guard() -> ResponseReturnValue | None:
    if request.endpoint == "static":
        return None
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, _PUBLIC, False):
        return None
    g.person = current_user.person if current_user.is_authenticated else None
    if view is None:
        return None
    if g.person is None:
        return sign_in_answer()
    if getattr(view, _FOR_ADMINISTRATORS, False) and not g.person.is_administrator:
        raise ForbiddenError(
            "This page is for administrators",
            found=f"{g.person.username} is an experimenter",
            remedy="Ask an administrator to do it.",
        )
    return None
