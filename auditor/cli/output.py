"""Where reports go: several formats at once, one of them to stdout, each file written in one go."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

import click
import msgspec

from auditor.catalog import Catalog
from auditor.cli.revision import revision
from auditor.cli.streams import emit
from auditor.errors import AuditorError
from auditor.model import Report, SourceRange
from auditor.report import FORMATS, RenderOptions, diagnostics

_TERRAFORM: Final = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json", ".hcl", ".tfstate", ".tfplan")


class Target(msgspec.Struct, frozen=True):
    """One format and the file it goes to; None is stdout."""

    format: str
    path: Path | None


def targets(formats: tuple[str, ...], output: Path | None, known: Collection[str] = FORMATS) -> list[Target]:
    """`FORMAT` or `FORMAT=FILE`, as often as given. Two that would share a file or stdout are a usage error."""
    made: list[Target] = []
    for item in formats or ("text",):
        name, eq, file = item.partition("=")
        if name not in known:
            raise click.BadParameter(f"unknown format {name!r}; one of {', '.join(known)}", param_hint="--format")
        if eq and not file:
            raise click.BadParameter(f"{item!r} names no file; write {name}=FILE", param_hint="--format")
        made.append(Target(name, Path(file) if eq else output))
    if output is not None and all("=" in item for item in formats) and formats:
        raise click.BadParameter("every format has a file of its own; --output would get none", param_hint="--output")
    for path in {t.path for t in made}:
        if len(same := [t.format for t in made if _same(t.path, path)]) > 1:
            where = path or "stdout"
            raise click.BadParameter(
                f"{' and '.join(same)} would both go to {where}; give each a file: {same[0]}=FILE", param_hint="--format"
            )
    return made


def _same(a: Path | None, b: Path | None) -> bool:
    return a == b if a is None or b is None else a.resolve() == b.resolve()


def spare(wanted: list[Target], inputs: Iterable[str | Path]) -> None:
    """Refuses to write over what was read, and over any Terraform file."""
    held = {t.path.resolve(): t.path for t in wanted if t.path is not None and t.path.is_file()}
    for path in held.values():
        if path.name.endswith(_TERRAFORM):
            raise AuditorError(f"{path}: is a Terraform file and is not written over", "Name another file.")
    for given in inputs if held else ():
        if given != "-" and (over := held.get(Path(given).resolve())) is not None:
            raise AuditorError(f"{over}: is an input of this run and is not written over", "Name another file.")


def write(
    report: Report, wanted: list[Target], catalog: Catalog, *, verbose: bool = False, include_waived: bool = False,
    stack: str = "", inputs: Iterable[str | Path] = (),
) -> list[str]:  # fmt: skip
    """Renders and writes every target, stdout last. Returns what a format had to leave out, for stderr.

    `inputs`: files that were read besides the report's own inputs. Raises AuditorError when a file cannot be written.
    """
    spare(wanted, [*(i.path for i in report.inputs), *inputs])
    cwd = Path.cwd()
    root = _repository(cwd)
    terminal = sys.stdout.isatty()
    color = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = 100
    if terminal:
        from shutil import get_terminal_size

        width = min(get_terminal_size().columns, 120)
    left_out: list[str] = []
    _text.cache_clear()
    _start.cache_clear()
    for target in sorted(wanted, key=lambda t: t.path is None):
        options = RenderOptions(
            color=color and target.path is None, width=width if target.path is None else 100, verbose=verbose,
            sarif_include_waived=include_waived, stack=stack,
            root=str(root), cwd=str(cwd), coordinates=catalog.coordinates, excerpt=_excerpt,
            revision=revision(root) if target.format == "sarif" else None,
        )  # fmt: skip
        text = FORMATS[target.format](report, options)
        left_out += diagnostics(target.format, report, options)
        put(text, target)
    return left_out


def put(text: str, target: Target) -> None:
    """One report to its file or to stdout. Raises AuditorError when it cannot be written."""
    if target.path is None:
        emit(text, target.format != "text")
        return
    try:
        target.path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as e:
        raise AuditorError(f"{target.path}: cannot be written: {e.strerror or e}") from e


def _excerpt(at: SourceRange) -> str:
    """The text of exactly this range, where its file is at hand."""
    if at.end_line == 1:  # a plan may be one line of any size
        return _start(at.file, at.end_column - 1)[at.start_column - 1 :]
    lines = _lines(at.file)[at.start_line - 1 : at.end_line]
    if not lines:
        return ""
    lines[-1] = lines[-1][: at.end_column - 1]
    lines[0] = lines[0][at.start_column - 1 :]
    return "\n".join(lines)


@lru_cache(maxsize=64)
def _start(file: str, size: int) -> str:
    """The first `size` characters of the first line."""
    try:
        if not Path(file).is_file():  # a pipe has been read already
            return ""
        with Path(file).open(encoding="utf-8-sig") as opened:
            return opened.readline(size)
    except (OSError, UnicodeDecodeError, ValueError):
        return ""


@lru_cache(maxsize=64)
def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError):  # not at hand: the report does without
        return ""


def _lines(file: str) -> list[str]:
    return _text(file).splitlines()


def _repository(cwd: Path) -> Path:
    """The folder that annotations count from: the git work tree around `cwd`, else `cwd`."""
    return next((p for p in (cwd, *cwd.parents) if (p / ".git").exists()), cwd)
