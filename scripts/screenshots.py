#!/usr/bin/env python3
"""Takes the pictures of docs/: the HTML report and the terminal output of examples/rogue-gpu, and job cards.

Usage: scripts/screenshots.py [CHROMIUM]

Needs a Chromium (default: `chromium`); nothing of it goes over the network.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

from auditor.catalog import Catalog
from auditor.cli.common import known_rules, read_config, read_plans
from auditor.cli.output import Target, write
from auditor.model import Report
from auditor.pipeline import audit
from auditor.report import FORMATS, RenderOptions
from auditor.rules import select

ROOT = Path(__file__).resolve().parent.parent
JOBS = "tests/plans/jobs/aws-fleets"
COLORS = {"1;31": "#ff7b72", "33": "#e3b341", "36": "#79c0ff", "35": "#d2a8ff", "1;32": "#7ee787", "1": "#fff", "2": "#8b949e"}
PAGE = (
    '<!DOCTYPE html><meta charset="utf-8"><body style="margin:0;background:#0d1117">'
    '<pre style="margin:0;padding:18px;{}">{}</pre>'
)
FONT = "font:13px/18px DejaVu Sans Mono,Menlo,monospace;color:#e6edf3"


def example(folder: str) -> tuple[Report, Catalog]:
    from datetime import date

    os.chdir(ROOT / folder)
    catalog, every, when = Catalog(), known_rules(), date(2026, 11, 20)
    config = read_config(None, None, {}, catalog, every, when)
    return audit(read_plans(("plan.json",)), config, catalog, select(every.values(), (), {}), every, when), catalog


def terminal(report: Report) -> str:
    text = FORMATS["text"](report, RenderOptions(color=True, width=100))
    parts = re.split(r"\x1b\[([\d;]*)m", text)
    out = escape(parts[0])
    for code, piece in zip(parts[1::2], parts[2::2], strict=True):
        weight = "font-weight:bold;" if code.startswith("1") else ""
        out += f'<span style="{weight}color:{COLORS[code]}">{escape(piece)}</span>' if code != "0" else escape(piece)
    return PAGE.format(FONT, f"$ auditor check plan.json\n{out}")


def section(page: str, name: str) -> str:
    """The page with one of its sections only."""
    start = page.index(f'<section id="{name}"')
    return page[: page.index("<body>") + 6] + page[start : page.index('<section id="', start + 1)]


def shoot(chromium: str, page: Path, target: Path, width: int, height: int) -> None:
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        flags += ["--disable-sync", "--hide-scrollbars", f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        subprocess.run([chromium, *flags, f"--screenshot={target}", page.as_uri()], check=True, capture_output=True, timeout=120)


def main() -> None:
    chromium = sys.argv[1] if len(sys.argv) > 1 else "chromium"
    report, catalog = example("examples/rogue-gpu")
    with tempfile.TemporaryDirectory() as folder:
        html, shell = Path(folder) / "report.html", Path(folder) / "terminal.html"
        write(report, [Target("html", html)], catalog)
        shell.write_text(terminal(report), encoding="utf-8")
        lines = shell.read_text(encoding="utf-8").count("\n") + 1
        shoot(chromium, shell, ROOT / "docs" / "terminal.png", 840, 36 + lines * 18)
        shoot(chromium, html, ROOT / "docs" / "report.png", 960, 1000)
        jobs = Path(folder) / "jobs.html"
        write(example(JOBS)[0], [Target("html", jobs)], catalog)
        jobs.write_text(section(jobs.read_text(encoding="utf-8"), "jobs"), encoding="utf-8")
        shoot(chromium, jobs, ROOT / "docs" / "jobs.png", 960, 700)


if __name__ == "__main__":
    main()
