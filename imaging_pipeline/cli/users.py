"""``imaging-pipeline users``."""

from __future__ import annotations

import getpass

import click

from imaging_pipeline import passwords
from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_added, print_rows, yes_or_no
from imaging_pipeline.schemas.administer import administration, people


@click.group()
def users() -> None:
    """Add and list people who register folders, and let them sign in to the web page."""


@users.command()
@click.argument("name")
@click.option("--email")
@click.option("--first-name")
@click.option("--last-name")
# None without it: False would differ from an administrator who is added a second time.
@click.option("--staff", is_flag=True, default=None, help="An administrator.")
def add(
    name: str, email: str | None, first_name: str | None, last_name: str | None, staff: bool | None
) -> None:
    """Add a person under the NAME that requests are made with; `reset` gives them a password."""
    with connected() as tables:
        added = administration.add_user(
            tables,
            name,
            email=email,
            first_name=first_name,
            last_name=last_name,
            is_staff=staff,
            by=_operator(),
        )
    print_added(f"the user {added.name}", is_new=added.is_new)


@users.command()
@click.argument("name")
@click.option("--ask", is_flag=True, help="Type the password; else one is generated.")
def reset(name: str, ask: bool) -> None:
    """Set a new password of NAME for the web page, and end their running sessions."""
    typed = click.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else None
    password = passwords.generated() if typed is None else typed
    with connected() as tables:
        people.set_password(tables, name, password, by=_operator())
    click.echo(f"{name} has a new password.")
    if typed is None:
        click.echo(f"It is shown this once: {password}")


@users.command()
@click.argument("name")
def disable(name: str) -> None:
    """Disable NAME, who can then neither register nor sign in, and end their running sessions."""
    with connected() as tables:
        is_new = people.set_active(tables, name, is_active=False, by=_operator())
    click.echo(f"{name} is disabled." if is_new else f"{name} was disabled already.")


@users.command()
@click.argument("name")
def enable(name: str) -> None:
    """Enable NAME, who can then register and sign in again."""
    with connected() as tables:
        is_new = people.set_active(tables, name, is_active=True, by=_operator())
    click.echo(f"{name} is enabled." if is_new else f"{name} was enabled already.")


@users.command()
@click.argument("name")
@click.argument("role", type=click.Choice(["experimenter", "administrator"]))
def role(name: str, role: str) -> None:
    """Make NAME an experimenter, who registers folders, or an administrator."""
    with connected() as tables:
        is_new = people.set_administrator(
            tables, name, is_administrator=role == "administrator", by=_operator()
        )
    click.echo(f"{name} is an {role}{'' if is_new else ' already'}.")


@users.command(name="list")
def list_users() -> None:
    """List all people."""
    with connected() as tables:
        rows = tables.imaging.User().to_dicts(order_by="username")
    print_rows(
        rows,
        {
            "name": "username",
            "first name": "first_name",
            "last name": "last_name",
            "email": "email",
            "active": lambda row: yes_or_no(row["is_active"]),
            "staff": lambda row: yes_or_no(row["is_staff"]),
        },
    )


def _operator() -> str:
    """Return who runs the command, as the machine knows them."""
    # An account of the machine may have the name of another person in the database: the log tells them apart.
    return f"{getpass.getuser()} (command)"
