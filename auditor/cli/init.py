"""`auditor init`: a first policy, or a workload manifest, in the working directory. Asks on a terminal only."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from auditor.catalog import Catalog
from auditor.cli.common import as_of_date
from auditor.config import POLICY_NAME, find_policy
from auditor.errors import AuditorError, ExitCode, PolicyError
from auditor.facts import Index
from auditor.model import Place
from auditor.places import compile_allow, item_problem
from auditor.report.escape import clean

if TYPE_CHECKING:
    from auditor.survey import Survey

_MANY: Final = 6
_WORDS: Final = ("no", "yes", "on", "off", "y", "n", "true", "false", "null")  # that YAML reads as something else

_WORKLOAD: Final = """\
# The declared workload. Take out the # of what you know: what stays commented is not declared, and a gate that
# needs it says UNDECIDED. Units: 1 TB = 1000 GB; a month = 30 days = 720 h. Money is USD a month.
version: 1
reviewed_on: {today}        # set it whenever you have gone through this file; after six months a note asks again
# name: contracts-llm
# stage: production             # dev | staging | production
# role: training                # training | inference | mixed

# Gate 3, sovereignty: [] or false says "not regulated"; saying nothing leaves the gate undecided
# regulated: [gdpr]
# region_guarantees: {{coreweave: "MSA 2026-07 s.4.2"}}

# Gate 1, data gravity
# dataset_tb: 80
# data_home: aws:eu-central-1   # cloud:region, or the address of its bucket in the plan
# pattern: jit                  # none | mirror | jit
# spoke: [coreweave]            # where the compute goes; without it: every neocloud in the plan
# transfer: {{mode: shards, active_fraction: 0.05, runs_per_month: 2, checkpoint_tb: 2}}   # full_each_run | full_once | shards
# monthly_usd: {{hub: 100000, spoke: 55000}}

# Gate 2, latency
# needed_gpus: 128
# checkpointing: true
# elastic: false
# jobs:
#   - {{name: pretrain, match: "module.train.*", role: training, parallelism: synchronous}}
# measurements:                 # `auditor calc latency FILE` prints such a line
#   - {{between: [node-a, node-b], p99_ms: 0.35, samples: 10000, measured_on: {today}, tool: sockperf}}

# Gate 4, inference around the clock
# inference_24x7: false
# inference: {{cloud_node_usd: 18000, pod_node_usd: 4200, nodes: 6}}
# repatriation: {{decision: "keep in cloud until Q3", date: {today}, link: "https://wiki.example/adr-41"}}
# serverless: {{price_req: 0.0000002, seconds: 2, gb: 4, price_gb_s: 0.0000167, dedicated_month_usd: 4200, rps: 40}}
# monthly_split_pct: {{compute: 68, storage: 18, network: 14}}
# vmware: {{sockets: 2, cores_per_socket: 32, min_cores_per_socket: 16, usd_per_core_year: 150}}

# features: [azure.ai-foundry-agents]   # checked against the lag catalogue
"""


_HEAD: Final = """\
version: 1
allow: [{allow}]   # {seen}
{outside}{workload}
fail_on: error     # error | warning | note: from which level on a finding makes the exit code 1
{scope}# Opens are never a pass: a location that the plan does not tell is reported, and `--strict` makes it exit 2.
"""


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the policy says. regulated None and role "": not declared."""

    allow: tuple[str, ...]
    regulated: tuple[str, ...] | None = None
    role: str = ""
    scoped: tuple[str, ...] = ()  # places for the resources whose tag classifies their data


@click.command("init")
@click.option("--workload", is_flag=True, help="Write workload.yaml instead of the policy.")
@click.option("--allow", "allowed", multiple=True, help="A place to allow: EU, DE, aws:eu-west-2. May be repeated.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--no-input", is_flag=True, help="Ask nothing on a terminal either: take what is proposed.")
@click.option("--as-of", help="The date to write (default: today).")
def init_command(workload: bool, allowed: tuple[str, ...], force: bool, no_input: bool, as_of: str | None) -> int:
    """Write a first .auditor.yaml from what the Terraform files below show; with --workload a workload.yaml to fill in.

    Clouds, regions, GPU types and tags that classify data are read from the source. Questions are asked on a terminal only,
    each with a default; nothing is asked where CI is set.
    """
    today = as_of_date(as_of).isoformat()
    if workload and allowed:
        raise click.UsageError("--allow belongs to the policy, not to the workload")
    path = Path("workload.yaml") if workload else Path(POLICY_NAME)
    index = Catalog().index
    for item in allowed:
        if problem := item_problem(item, index):
            raise click.BadParameter(problem, param_hint="--allow")
    if path.exists() and not force:
        raise PolicyError(f"{path} is there already", "--force writes over it")
    text = _WORKLOAD.format(today=today) if workload else _policy(allowed, not no_input and _on_terminal())
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as e:
        raise AuditorError(f"{path}: cannot be written: {e.strerror or e}") from e
    click.echo(f"wrote {path}")
    above = None if workload else find_policy(Path.cwd().parent)
    if above is not None:
        click.echo(f"auditor: {above} no longer counts here; extend it with `extends: [{os.path.relpath(above)}]`", err=True)
    return ExitCode.OK


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


def _policy(allowed: tuple[str, ...], ask: bool) -> str:
    """The text of the policy. What was seen is told on stdout."""
    from auditor.survey import propose, survey

    catalog = Catalog()
    seen = survey(Path.cwd(), catalog)
    proposed, _ = propose(seen, catalog.index)
    for line in _told(seen, catalog.index):
        click.echo(line)
    answers = _Answers(allowed or (proposed,))
    if ask:
        answers = _ask(answers, bool(allowed), seen, catalog.index)
    return _text(answers, seen, catalog.index)


def _told(seen: Survey, index: Index) -> Iterator[str]:
    if not seen.files:
        yield "no Terraform files here: the policy is a start to edit"
        return
    unread = f", {seen.unread} of them not readable" if seen.unread else ""
    clouds = ", ".join(f"{index.clouds[c].title or c} ({n})" for c, n in sorted(seen.clouds.items())) or "none known"
    yield f"{seen.files} Terraform file{'s' if seen.files != 1 else ''}{unread}; clouds (resources): {clouds}"
    if seen.places:
        yield f"regions: {_regions(sorted(seen.places), index)}"
    if seen.accelerators:
        yield f"GPU types: {_listed(seen.accelerators)}"
    for key, values in seen.tags.items():
        yield f"tag {key}: {_listed(values)}"


def _listed(found: Mapping[str, str]) -> str:
    shown = [f"{clean(text)} ({clean(where)})" for text, where in list(found.items())[:_MANY]]
    return ", ".join(shown) + (f" and {len(found) - _MANY} more" if len(found) > _MANY else "")


def _regions(found: Sequence[tuple[str, str]], index: Index) -> str:
    shown = [f"{region} ({index.clouds[cloud].regions[region]})" for cloud, region in found[:_MANY]]
    return ", ".join(shown) + (f" and {len(found) - _MANY} more" if len(found) > _MANY else "")


def _ask(proposal: _Answers, settled: bool, seen: Survey, index: Index) -> _Answers:
    def places(text: str) -> tuple[str, ...]:
        items = _items(text)
        for item in items:
            if problem := item_problem(item, index):
                raise click.BadParameter(problem)
        return items

    def required(text: str) -> tuple[str, ...]:
        if not (items := places(text)):
            raise click.BadParameter("name a place: EU, DE, aws:eu-west-2")
        return items

    allow = proposal.allow
    if not settled:
        allow = click.prompt("Where may data be? Blocs, countries, cloud:region", ", ".join(allow), value_proc=required)
    said = click.prompt("Which regulations does the data fall under? e.g. gdpr; none; ? for not known", "?")
    regulated = None if said.strip() in ("", "?") else () if said.strip().lower() in ("none", "no") else _items(said)
    role = ""
    if seen.accelerators:
        choice = click.Choice(["training", "inference", "mixed", "?"])
        role = click.prompt("What are the GPUs for?", "?", type=choice).strip("?")
    scoped: tuple[str, ...] = ()
    if seen.tags:
        key = next(iter(seen.tags))
        scoped = click.prompt(f"Narrower places for what is tagged {key}? none to leave it", "none", value_proc=lambda t: (
            () if t.strip().lower() == "none" else required(t)))  # fmt: skip
    return _Answers(allow, regulated, role, scoped)


def _items(text: str) -> tuple[str, ...]:
    return tuple(i for part in text.split(",") if (i := part.strip()))


def _text(a: _Answers, seen: Survey, index: Index) -> str:
    allow = compile_allow(list(a.allow), [], index, index.as_of)
    outside = [p for p in sorted(seen.places) if not allow.permits("home", _as_place(p, index))]
    inside = [p for p in sorted(seen.places) if p not in outside]
    none = "no region of it is named in the source" if seen.files else "blocs, ISO countries or cloud:region"
    seen_text = f"seen: {_regions(inside, index)}" if inside else none
    lines = "".join(
        f"# outside of it: {region} ({index.clouds[cloud].regions[region]}), {clean(seen.places[cloud, region])}\n"
        for cloud, region in outside[:_MANY]
    )  # fmt: skip
    gpus = f"; seen: {_listed(seen.accelerators)}" if seen.accelerators else ""
    role = f"  role: {a.role}" if a.role else "#   role: training"
    regulated = "#   regulated: [gdpr]" if a.regulated is None else f"  regulated: {_flow(a.regulated)}"
    declared = bool(a.role) or a.regulated is not None
    workload = (
        f"{'' if declared else '# '}workload:   # `auditor init --workload` writes the whole manifest: dataset, prices, jobs\n"
        f"{role}   # training | inference | mixed{gpus}\n"
        f"{regulated}   # anything but [] or false: an undecided location is an error"
    )
    return _HEAD.format(allow=_flow(a.allow)[1:-1], seen=seen_text, outside=lines, workload=workload, scope=_scope(a, seen))


def _scope(a: _Answers, seen: Survey) -> str:
    """A scope for the tag that classifies data: in force where places were given for it, else as a comment."""
    if not seen.tags:
        return ""
    key, values = next(iter(seen.tags.items()))
    mark = "" if a.scoped else "# "
    rows = [
        f"scopes:            # tag {clean(key)}: {_listed(values)}",
        "  - name: classified",
        f"    match: {{tags: {{{_quoted(key)}: {_flow(tuple(values))}}}}}",
        f"    allow: {_flow(a.scoped or a.allow)}",
    ]
    return "".join(f"{mark}{row}\n" for row in rows)


def _as_place(at: tuple[str, str], index: Index) -> Place:
    cloud, region = at
    summary = index.clouds[cloud]
    return Place(cloud, region, summary.regions[region], summary.partitions.get(region, ""))


def _flow(items: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, items))}]"


def _quoted(text: str) -> str:
    """Bare where YAML reads the same word again, else quoted."""
    bare = re.fullmatch(r"[A-Za-z_][\w-]*", text) and text.casefold() not in _WORDS
    return text if bare else json.dumps(text, ensure_ascii=False)
