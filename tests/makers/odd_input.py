"""What people and programs type into forms that nobody expects."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import strategies as st

from tests.makers.site import HtmlForm

_ODD = (
    *("", " ", "%", "%s%d", "'", '"', "\\", "' OR 1=1 --", '"; DROP TABLE x; --', "`", "${7*7}", "{{7*7}}"),
    *(
        "\0",
        "a\0b",
        "\x1b[0m",
        "\r\n",
        "\u202e",
        "\ufeff",
        "𝔘𝔫𝔦",
        "東京",
        "a\u0301",
        "<script>alert(1)</script>",
    ),
    *("0", "-1", "1e999", "NaN", "inf", "9" * 40, "1" * 4000, "x" * 5000, "true", "null", "[]", "{}"),
    *("../../etc/passwd", "N:\\..\\..", "/etc/passwd", "\\\\server\\share", "N:\\moser\\CON", "//", "~"),
    *("2026-02-30", "0000-00-00", "9999-12-31", "2026-01-01T00:00", "yes", "90218", "anna", "mouse"),
)

odd_texts = st.sampled_from(_ODD) | st.text(max_size=40)

_files = st.tuples(
    st.sampled_from((b"", b"{}", b"[]", b'{"tau": 1}', b"\x93NUMPY", b"\x80\x04.", b"\xff\xfe"))
    | st.binary(),
    st.sampled_from(("ops.npy", "ops.json", "ops", "..", "/", "\\", "a\0.npy", "x" * 300 + ".json", ".npy")),
)


@st.composite
def odd_typing(draw: Any, form: HtmlForm) -> dict[str, Any]:
    """Return something odd in one or more fields of a form; the others stay as they are, or take a choice."""
    typed: dict[str, Any] = {}
    for name in dict.fromkeys((*form.fields, *form.choices)):
        if name == "csrf_token":
            continue
        choices = st.sampled_from(form.choices[name]) if form.choices.get(name) else odd_texts
        typed[name] = draw(st.just(form.fields.get(name, "")) | choices | odd_texts)
    for name in form.files:
        content, file_name = draw(_files)
        typed[name] = (io.BytesIO(content), file_name)
    return typed
