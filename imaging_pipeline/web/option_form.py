"""The form with a field for each Suite2p option."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from wtforms import Field, SelectField, StringField
from wtforms.validators import InputRequired, Length

from imaging_pipeline.errors import InputError
from imaging_pipeline.suite2p_runner.known_options import flat, put
from imaging_pipeline.suite2p_runner.option_text import as_text, from_text, options_by_name
from imaging_pipeline.web.forms import Form, choices

# Characters of a value, which is a number, a word, a path or a short list.
_LONGEST = 2000


class OptionForm(Form):
    """A name, and a field for each option under its dotted name; an empty one means Suite2p's default."""

    new_name = StringField("Name", [InputRequired("Give it a name."), Length(max=64)])

    def options(self) -> dict[str, Any] | None:
        """Return the options that were typed, in nested groups; None where a value is refused."""
        typed: dict[str, Any] = {}
        for name in options_by_name():
            try:
                if text := self[name].data:
                    put(typed, name, from_text(name, text))
            except InputError as error:
                self.add_error(error, self[name])
        return None if self.errors else typed

    def groups(self) -> Iterator[OptionGroup]:
        """Return the fields by the group of their options."""
        # `groupby` joins neighbours only, which suffices: the options are in the order of their groups.
        for title, names in groupby(options_by_name(), lambda name: name.rpartition(".")[0]):
            yield OptionGroup(title or "General", tuple(self[name] for name in names))


@dataclass(frozen=True)
class OptionGroup:
    """Fields of options that belong together; the title is the name of their group in Suite2p."""

    title: str
    fields: tuple[Field, ...]

    @property
    def has_values(self) -> bool:
        """Return True if any of the fields has a value or an error."""
        return any(field.data or field.errors for field in self.fields)


def option_form(settings: Mapping[str, Any]) -> OptionForm:
    """Return the form; it shows an option set until something is submitted."""
    known = options_by_name()
    return _form_class()(data={name: as_text(value) for name, value in flat(settings) if name in known})


@cache
def _form_class() -> type[OptionForm]:
    return type("FilledOptionForm", (OptionForm,), {name: _field(name) for name in options_by_name()})


def _field(name: str) -> Field:
    kind, default = options_by_name()[name]
    hint = f"default: {as_text(default)}"
    label = name.rpartition(".")[2]
    if kind == "bool":
        # Not a tick box: it has no third state for Suite2p's default.
        return SelectField(label, choices=choices(("true", "false"), none=hint))
    return StringField(label, [Length(max=_LONGEST)], render_kw={"placeholder": hint})
