"""The command line: flags -> config -> audit -> render -> exit code. Nothing is decided here.

One module per group of commands, imported when the command is called: `COMMANDS` says which.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Final

import click

from auditor import __version__
from auditor.cli import streams
from auditor.errors import AuditorError, ExitCode

COMMANDS: Final = {  # command -> module of this package, where an attribute `<command>_command` holds it
    "baseline": "adopt",
    "calc": "calc",
    "catalog": "catalog",
    "check": "check",
    "diff": "explain",
    "dump": "dump",
    "explain": "explain",
    "init": "init",
    "gates": "gates",
    "lag": "lag",
    "jobs": "jobs",
    "query": "query",
    "regions": "rules",
    "rules": "explain",
    "schema": "validate",
    "sweep": "sweep",
    "test": "test",
    "validate": "validate",
    "waive": "adopt",
}


def run() -> None:
    """`main` for the program itself: leaves at once, without freeing the records of a big plan one by one."""
    try:
        main()
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else ExitCode.BUG
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):  # the reader is gone, or the stream
                code = code or ExitCode.CANNOT_AUDIT
        os._exit(code)


def main() -> None:
    """Entry point. Every way out has its exit code; a bug prints one line, AUDITOR_TRACEBACK=1 prints the rest."""
    gc.disable()  # one short run over records without cycles: collecting would only scan them again and again
    streams.prepare()
    sys.exit(_run())


def _run() -> int:
    out = sys.stdout
    try:
        code = cli.main(standalone_mode=False)
        streams.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Abort:
        return ExitCode.INTERRUPTED
    except click.ClickException as e:
        with suppress(OSError):  # of stderr: the exit code still tells
            e.show(sys.stderr)
        return ExitCode.CANNOT_AUDIT
    except AuditorError as e:
        from auditor.report.escape import log

        _tell(f"auditor: {log(str(e))}")
        return e.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except SystemExit:
        if sys.stdout is out:
            raise
        # click wraps the stream of a reader that went away and makes it 1, which would say "findings".
        streams.abandon()
        return ExitCode.CANNOT_AUDIT
    except Exception as e:  # the one error boundary: a bug is exit 3, never a pass
        if isinstance(e, OSError) and streams.cannot_write(e):
            streams.abandon()
            if not isinstance(e, BrokenPipeError):  # a reader that had enough knows
                _tell(f"auditor: stdout cannot be written: {e.strerror or e}")
            return ExitCode.CANNOT_AUDIT
        if isinstance(e, OSError) and e.filename is not None:  # a name too long, a folder that may not be entered
            from auditor.report.escape import log

            _tell(log(f"auditor: {os.fsdecode(e.filename)[:200]}: {e.strerror or type(e).__name__}"))
            return ExitCode.CANNOT_AUDIT
        if os.environ.get("AUDITOR_TRACEBACK"):
            _tell(_where(e))
        python = ".".join(map(str, sys.version_info[:3]))
        _tell(
            f"auditor {__version__} (Python {python}): internal error {type(e).__name__}; "
            "set AUDITOR_TRACEBACK=1 for the traceback"
        )
        return ExitCode.BUG


def _tell(text: str) -> None:
    """A last word on stderr, which may be closed or full: that must not change the exit code."""
    with suppress(OSError):
        click.echo(text, err=True)


def _where(error: BaseException) -> str:
    """The traceback of an exception and of those that led to it. Their texts are left out: they may hold values of the plan."""
    import traceback  # costs more start-up than the rest of this module

    told: list[str] = []
    at: BaseException | None = error
    while at is not None:
        frames = "".join(traceback.format_tb(at.__traceback__))
        told.insert(0, f"Traceback (most recent call last):\n{frames}{type(at).__name__} (its text is withheld)")
        at = at.__cause__ or at.__context__
    return "\nwhich led to\n".join(told)


class _Lazy(click.Group):
    """Imports a command's module only when that command (or the whole list) is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            from auditor.spelling import suggest  # only a mistake needs it

            if near := suggest(cmd_name, COMMANDS):
                raise click.UsageError(f"no command {cmd_name!r}{near}", ctx)
            return None
        module = import_module(f"auditor.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="auditor")
def cli() -> None:
    """Audit a Terraform plan before apply.

    Would data land outside the jurisdictions you allow? Would a GPU job get the network it needs?
    Is the provider ready for what the stack uses? The answer is pass, fail or open, and says how it knows.
    """
