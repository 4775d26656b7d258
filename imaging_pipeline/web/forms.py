"""Base of all forms, which shows errors of the pipeline beside the field that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PureWindowsPath
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, FileField, PasswordField, StringField

from imaging_pipeline.errors import PipelineError, shown_value


class Form(FlaskForm):
    """A form of the site; blanks around texts are dropped.

    Attributes
    ----------
    pipeline_errors
        Errors of the form as a whole.
    """

    class Meta(FlaskForm.Meta):
        """How fields are bound to the form."""

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            """Bind a field; texts lose the blanks around them."""
            is_text = issubclass(unbound_field.field_class, StringField)
            # A password may begin or end with a blank.
            if is_text and not issubclass(unbound_field.field_class, PasswordField):
                filters = [*unbound_field.kwargs.get("filters", ()), _stripped]
                options = {**options, "filters": filters}
            field: Field = unbound_field.bind(form=form, **options)
            return field

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.pipeline_errors: list[PipelineError] = []
        super().__init__(*args, **kwargs)

    def add_error(self, error: PipelineError, field: Field | None = None) -> None:
        """Show an error beside its field, or above the form."""
        if field is None:
            self.pipeline_errors.append(error)
        else:
            # A browser forgets which file was chosen; a path that was typed stands there, as people spell it.
            is_shown = not isinstance(field, FileField) and _name(error.path) == _name(field.data)
            _add_error(field, error_text(error, with_path=not is_shown))


def error_text(error: PipelineError, *, with_path: bool = False) -> str:
    """Return the text of an error beside a field: what happened, what is allowed, and what to do."""
    sentences = [f"{error.what}."]
    if with_path and error.path is not None:
        sentences.append(f"File: {error.path}.")
    if error.found is not None:
        sentences.append(f"Found: {shown_value(error.found)}.")
    if error.allowed is not None:
        sentences.append(f"Allowed: {shown_value(error.allowed)}.")
    return " ".join([*sentences, error.remedy])


def choices(names: Sequence[str], *, none: str | None = None) -> Any:
    """Return names as the choices of a select field; ``none`` is the label of the empty choice."""
    return {**({} if none is None else {"": none}), **{name: name for name in names}}


def _add_error(field: Field, text: str) -> None:
    field.errors = [*field.errors, text]


def _name(path: Any) -> str:
    """Return the last part of a path of any system."""
    return PureWindowsPath(path).name if isinstance(path, str) else ""


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value
