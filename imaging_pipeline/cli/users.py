"""``imaging-pipeline users``."""

from __future__ import annotations

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_table, say_added
from imaging_pipeline.schemas.imaging import administration


@click.group()
def users() -> None:
    """Add and list people who register folders."""


@users.command()
@click.argument("name")
@click.option("--email")
@click.option("--first-name")
@click.option("--last-name")
@click.option("--staff", is_flag=True, default=None, help="An administrator.")
def add(
    name: str, email: str | None, first_name: str | None, last_name: str | None, staff: bool | None
) -> None:
    """Add a person under the NAME that requests are made with."""
    with connected() as tables:
        added = administration.add_user(
            tables, name, email=email, first_name=first_name, last_name=last_name, is_staff=staff
        )
    say_added(f"the user {added.name}", is_new=added.is_new)


@users.command(name="list")
def list_users() -> None:
    """List all people."""
    with connected() as tables:
        rows = tables.imaging.User().to_dicts(order_by="username")
    print_table(
        ("name", "first name", "last name", "email", "active", "staff"),
        (
            (
                row["username"],
                row["first_name"],
                row["last_name"],
                row["email"],
                "yes" if row["is_active"] else "no",
                "yes" if row["is_staff"] else "no",
            )
            for row in rows
        ),
    )
