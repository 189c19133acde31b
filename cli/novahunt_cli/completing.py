"""The command that prints a shell's completion script."""

import click
from click.shell_completion import get_completion_class

from novahunt_cli.exits import CommandError

VARIABLE = "_NOVAHUNT_COMPLETE"
"""Environment variable by which the script asks the program for completions; click makes it of the program's name."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL; for example `source <(novahunt completion bash)`."""
    kind = get_completion_class(shell)
    if kind is None:
        raise CommandError(f"there is no completion for {shell}")
    click.echo(kind(context.find_root().command, {}, "novahunt", VARIABLE).source())
