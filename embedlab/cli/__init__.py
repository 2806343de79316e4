"""The `embedlab` command. Each subcommand lives in a module that is imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from embedlab import __version__
from embedlab.errors import EmbedlabError

# name: (module, the first line of its help)
COMMANDS: dict[str, tuple[str, str]] = {
    "train": ("embedlab.cli.train", "Train a classifier on pictures and keep it as a run."),
    "embed": ("embedlab.cli.embed", "Embed pictures and write the matrix, with ids and labels."),
    "import": ("embedlab.cli.import_", "Make a run of weights, an ONNX body or vectors."),
    "project": ("embedlab.cli.project", "Lay a run's pictures out with UMAP and keep the layout."),
    "check": ("embedlab.cli.check", "Look for doubtful labels, duplicates and outliers."),
    "heads": ("embedlab.cli.heads", "Fit other heads to a run's embeddings and compare them."),
    "layers": ("embedlab.cli.layers", "Score every depth at which a run's body can be cut."),
    "fuse": ("embedlab.cli.fuse", "Find out what a table adds to pictures."),
    "runs": ("embedlab.cli.runs", "List, show, pack, unpack and remove runs."),
    "jobs": ("embedlab.cli.jobs", "List, watch, cancel and take up long work."),
    "app": ("embedlab.cli.app", "Open the app in the browser."),
    "doctor": ("embedlab.cli.doctor", "Say what works here, what is cached and what is missing."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="embedlab")
def group() -> None:
    """See what an image network has learned."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line.

    Exit status: 0 done; 1 something that a person can put right, said in one line on standard
    error; 2 a mistake in the command itself; 130 stopped with Ctrl-C.
    """
    try:
        group.main(args=arguments, prog_name="embedlab", standalone_mode=False)
    except EmbedlabError as error:
        click.echo(f"embedlab: {error}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("embedlab: stopped.", err=True)
        sys.exit(130)
    except Exception as error:
        from embedlab.jobs import current
        from embedlab.jobs.failures import explain

        # A job has told its folder; where it happened is for its log.
        told = None if current() else explain(error)
        if told is None:
            raise
        click.echo(f"embedlab: {told}", err=True)
        sys.exit(1)
