"""The command ``imaging-pipeline``.

The module of a command is imported when the command is called, so that help comes at once.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from imaging_pipeline.choices import near
from imaging_pipeline.errors import PipelineError


@dataclass(frozen=True)
class _LazyCommand:
    """A command that is not imported yet: its ``module:attribute``, and its line in the help."""

    target: str
    help: str

    def load(self) -> click.Command:
        module, _, attribute = self.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


_CLI = "imaging_pipeline.cli"

COMMANDS: Mapping[str, _LazyCommand] = {
    "demo": _LazyCommand(f"{_CLI}.demo:demo", "Run the whole pipeline on a recording that is made for it."),
    "init-db": _LazyCommand(f"{_CLI}.init_db:init_db", "Declare all tables; safe to do again."),
    "upgrade": _LazyCommand(
        f"{_CLI}.upgrade:upgrade", "Change the tables of an older version to this one's."
    ),
    "config": _LazyCommand(
        f"{_CLI}.config:config", "Print the values in force, and test all that is needed."
    ),
    "add": _LazyCommand(f"{_CLI}.add:add", "Register a folder, after a preview."),
    "report": _LazyCommand(f"{_CLI}.report:report", "Show what each request for a folder or session did."),
    "progress": _LazyCommand(f"{_CLI}.progress:progress", "Show how far each table is with each session."),
    "workers": _LazyCommand(f"{_CLI}.workers:workers", "Show which workers run, what they do and lack."),
    "explain": _LazyCommand(f"{_CLI}.explain:explain", "Show how far a session is, and why it is not done."),
    "jobs": _LazyCommand(
        f"{_CLI}.jobs:jobs", "Count jobs, show what runs and failed; retry, ignore, prioritise."
    ),
    "find-unregistered": _LazyCommand(
        f"{_CLI}.find_unregistered:find_unregistered", "List recordings on a share that nobody registered."
    ),
    "withdraw": _LazyCommand(f"{_CLI}.withdraw:withdraw", "Withdraw a request that waits for its animal."),
    "retire": _LazyCommand(f"{_CLI}.retire:retire", "Delete a session from the database; its files stay."),
    "restore-notes": _LazyCommand(
        f"{_CLI}.restore_notes:restore_notes", "Note again what was noted of a session before it was retired."
    ),
    "mlims": _LazyCommand(f"{_CLI}.mlims:mlims", "Update the animals from the colony system."),
    "animals": _LazyCommand(f"{_CLI}.animals:animals", "Import and list animals."),
    "users": _LazyCommand(f"{_CLI}.users:users", "Add people, and let them sign in."),
    "repository": _LazyCommand(f"{_CLI}.repository:repository", "Add, list and move repositories of files."),
    "setup": _LazyCommand(f"{_CLI}.setup:setup", "Add and list setups and their calibrations."),
    "scope": _LazyCommand(f"{_CLI}.scope:scope", "Add and list microscope heads."),
    "apparatus": _LazyCommand(f"{_CLI}.apparatus:apparatus", "Add and list what animals move in or on."),
    "options": _LazyCommand(f"{_CLI}.options:options", "Add and list Suite2p option sets."),
    "suite2p": _LazyCommand(f"{_CLI}.suite2p:suite2p", "Open an output in Suite2p's own window."),
    "web": _LazyCommand(f"{_CLI}.web:web", "Serve the web page."),
    "store": _LazyCommand(f"{_CLI}.store:store", "Remove arrays that no row refers to from the store."),
}


@dataclass(frozen=True)
class Invocation:
    """Options before the command: the configuration file, or None to find one."""

    config: Path | None


class _Commands(click.Group):
    """A group that imports only the command that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return COMMANDS[cmd_name].load() if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            # Click's own message names no similar command.
            alike = near(args[0], COMMANDS)
            hint = f" Did you mean {' or '.join(alike)}?" if alike else ""
            ctx.fail(f"There is no command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except PipelineError as error:
            # Raised as it is, Python prints the traceback; click would print the message alone.
            if ctx.params["debug"]:
                raise
            raise click.ClickException(str(error)) from error


@click.command(cls=_Commands)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The configuration; else the first dj_local_conf.json from here upward.",
)
@click.option("--debug", is_flag=True, help="Show where in the code an error was raised.")
@click.version_option(package_name="imaging-pipeline")
@click.pass_context
def main(context: click.Context, config: Path | None, debug: bool) -> None:
    """Folders of two-photon calcium-imaging recordings into a DataJoint database."""
    context.obj = Invocation(config)
