"""The command line: argv, the clock, the wiring of commands; nothing else."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from datetime import UTC, datetime

import click

from pipeline.commands import COMMAND_GROUPS, COMMANDS
from pipeline.commands.ctrl_c import ended_after_ctrl_c, say_stopped
from pipeline.commands.log_options import add_log_options
from pipeline.commands.terminal import one_line
from pipeline.core.errors import ConfigError, PipelineError
from pipeline.core.extras import missing_extra

PIPE_CLOSED = 141  # as of a program that SIGPIPE ends


class _Lazy(click.Group):
    """Imports a command's module only when it is run, so that --help stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name.replace("-", "_") + "_command")
        add_log_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; where the reader of its output has gone, as `head` does, end without a word."""
        try:
            try:
                result: object = super().invoke(ctx)
            except SystemExit:
                sys.stdout.flush()
                raise
            sys.stdout.flush()
            return result
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the flush at exit would fail again
            sys.exit(PIPE_CLOSED)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        longest = max(map(len, COMMANDS))
        for heading, group in COMMAND_GROUPS.items():
            with formatter.section(heading):
                rows = [(name.ljust(longest), line) for name, (_, line) in group.items()]
                formatter.write_dl(rows)


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="groundswell", prog_name="groundswell")
@click.option("--no-color", is_flag=True, help="Print no colours; the variable NO_COLOR does the same.")
@click.option("--no-color-by-variable", default="", envvar="NO_COLOR", hidden=True)  # any text in it counts
@click.pass_context
def cli(ctx: click.Context, no_color: bool, no_color_by_variable: str) -> None:
    """Detect outages of services you depend on from what their users report.

    Begin with `groundswell demo`, or with `groundswell init` and `groundswell run`.

    Exit codes: 0 success, 1 failure or Ctrl-C, 2 usage or configuration, 3 a source or a row failed and the rest is
    done, 75 another run holds the lock.
    """
    ctx.color = False if no_color or no_color_by_variable else None  # None: on a terminal
    ctx.obj = lambda: datetime.now(UTC).replace(microsecond=0)


def main() -> None:
    """Run the command line; an expected failure is one line on standard error."""
    gc.set_threshold(100_000, 20, 20)  # imports and rows leave hardly any cycles: looking for them took a twentieth
    try:
        with ended_after_ctrl_c():
            cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        say_stopped()
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except ImportError as error:
        if (missing := missing_extra(error)) is None:
            raise
        click.echo(f"groundswell: needs {missing}", err=True)
        sys.exit(2)
    except PipelineError as error:
        click.echo(f"groundswell: {one_line(str(error))}", err=True)
        sys.exit(2 if isinstance(error, ConfigError) else 1)


if __name__ == "__main__":
    main()
