"""`--var` and `--var-file` of the commands that read a Terraform folder, in the order they were written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

_ORDER = "auditor.order"
_F = TypeVar("_F", bound=Callable[..., Any])


class InOrder(click.Command):
    """A command that remembers in which order its options were given: Terraform's last value of a variable wins."""

    def make_parser(self, ctx: click.Context) -> Any:
        parser = super().make_parser(ctx)
        plain = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            options, rest, order = plain(args=args)
            ctx.meta[_ORDER] = [parameter.name for parameter in order]
            return options, rest, order

        parser.parse_args = parse_args  # type: ignore[method-assign]
        return parser


def variable_options(command: _F) -> _F:
    """The two options; the command takes them as `variables` and `var_files` and is an `InOrder`."""
    file = click.option("--var-file", "var_files", multiple=True, metavar="FILE", help="Variables of a source scan (.tfvars).")
    one = click.option(
        "--var", "variables", multiple=True, metavar="NAME=VALUE",
        help="A variable of a source scan. As with Terraform, the last --var or --var-file wins.",
    )  # fmt: skip
    return one(file(command))


def source_options(command: _F) -> _F:
    """Where the source of a plan is: the command takes them as `hcl_dir` and `binary_plan`."""
    folder = click.option("--hcl-dir", type=click.Path(path_type=Path), help="The Terraform folder the plan was made from.")
    binary = click.option(
        "--binary-plan", type=click.Path(path_type=Path), help="The binary plan that the JSON was made from."
    )
    return folder(binary(command))


def in_order(variables: Sequence[str], var_files: Sequence[str]) -> list[tuple[str, str]]:
    """("var", "NAME=VALUE") and ("file", path) as they stand on the command line."""
    left = {"variables": ("var", list(variables)), "var_files": ("file", list(var_files))}
    order = [n for n in click.get_current_context().meta.get(_ORDER, ()) if n in left]
    given: list[tuple[str, str]] = []
    for name in order:
        kind, values = left[name]
        if values:
            given.append((kind, values.pop(0)))
    for kind, values in left.values():  # from the environment, say
        given += [(kind, v) for v in values]
    return given
