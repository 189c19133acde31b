"""The program: its commands, and how it ends."""

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from novahunt_cli import collecting, completing, exporting, forgetting, looking, options, wishing
from novahunt_cli.exits import CommandError, Exit
from novahunt_contract import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="novahunt")
@options.everywhere
def novahunt(**_given: Any) -> None:
    """Collect business addresses of many domains with NovaHunt on Kubernetes."""


for _command in (
    collecting.collect,
    collecting.watch,
    collecting.estimate,
    looking.status,
    looking.why,
    looking.results,
    exporting.export,
    wishing.retry,
    wishing.suspend,
    wishing.resume,
    forgetting.forget,
    completing.completion,
):
    novahunt.add_command(_command)


def main(arguments: Sequence[str] | None = None, program: str = "novahunt") -> int:
    """Run one command, and return the exit code; errors are one line on standard error."""
    try:
        ended = novahunt.main(
            args=None if arguments is None else list(arguments),
            prog_name=program,
            standalone_mode=False,
            complete_var=completing.VARIABLE,
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except CommandError as error:
        click.echo(f"novahunt: {error}", err=True)
        return error.code
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Who read the answer has seen enough; Python would complain of what is left at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.ERROR
    except Exception as error:  # noqa: BLE001 - a person gets one line, whatever it is
        # Its text may hold what was given; the place tells enough.
        at = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(at.filename).name}:{at.lineno}"
        click.echo(f"novahunt: a defect: {where}; please report it with the command that you gave", err=True)
        return Exit.ERROR
    return int(ended) if isinstance(ended, int) else Exit.DONE


def run() -> None:
    """Run as `novahunt`, or as kubectl's plugin."""
    plugin = Path(sys.argv[0]).name.startswith("kubectl-")
    sys.exit(main(program="kubectl novahunt" if plugin else "novahunt"))


if __name__ == "__main__":
    run()
