"""Which passwords are taken, and what is kept of them."""

from __future__ import annotations

import re

import pytest

from imaging_pipeline import passwords
from imaging_pipeline.errors import InputError


def test_a_password_is_kept_as_an_argon2id_hash_that_costs_memory() -> None:
    kept = passwords.hashed("wheel-otter-lamp")
    memory_kib, rounds = map(int, re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+)", kept).groups())
    assert memory_kib >= 19 * 1024
    assert rounds >= 2
    assert kept != passwords.hashed("wheel-otter-lamp")


def test_only_the_password_itself_is_right() -> None:
    kept = passwords.hashed("wheel-otter-lamp")
    assert passwords.is_right(kept, "wheel-otter-lamp")
    assert not passwords.is_right(kept, "wheel-otter-lamb")
    assert not passwords.is_right(None, "wheel-otter-lamp")
    assert not passwords.is_right("not a hash", "wheel-otter-lamp")


@pytest.mark.parametrize("password", ["", "x" * 9, "x" * 257])
def test_short_and_endless_passwords_are_refused_without_telling_them(password: str) -> None:
    with pytest.raises(InputError, match="10 to 256 characters") as refused:
        passwords.checked(password)
    assert not password or password not in str(refused.value)


def test_a_password_that_is_made_can_be_read_out_and_is_taken() -> None:
    made = {passwords.generated() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"([a-km-np-z2-9]{4}-){4}[a-km-np-z2-9]{4}", each) for each in made)
    assert passwords.checked(next(iter(made)))
