"""The form to sign in."""

from __future__ import annotations

from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from imaging_pipeline.passwords import LONGEST
from imaging_pipeline.web.forms import Form


class SignInForm(Form):
    """Name and password, and the path to go to afterwards."""

    username = StringField("Name", [InputRequired("Type your name."), Length(max=64)])
    password = PasswordField("Password", [InputRequired("Type your password."), Length(max=LONGEST)])
    next = HiddenField()


def sign_in_form(path: str) -> SignInForm:
    """Return an empty form that leads to a path of this site."""
    return SignInForm(formdata=None, next=path)
