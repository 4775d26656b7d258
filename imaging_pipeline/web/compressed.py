"""Answers full of numbers, in a fraction of their size; pages, which hold tokens, stay as they are."""

from __future__ import annotations

import gzip

from flask import Response, request


def compressed(answer: Response) -> Response:
    """Compress an answer for a browser that takes it; quickly, as most lines in a laboratory are quick."""
    answer.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] > 0:
        answer.set_data(gzip.compress(answer.get_data(), 1))
        answer.content_encoding = "gzip"
    return answer
