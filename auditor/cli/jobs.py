"""`auditor jobs`: every job as it was understood, so that a reviewer can check the reading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from auditor.catalog import Catalog
from auditor.cli import complete
from auditor.cli.common import as_of_date, known_rules, read_config, read_with_source
from auditor.cli.variables import InOrder, in_order, source_options, variable_options
from auditor.errors import ExitCode
from auditor.model import Job, Workload
from auditor.report.escape import clean, inert
from auditor.rules import select

_HEAD = (
    "JOB", "ROLE", "NODES", "GPUS", "TYPES", "FABRIC", "ZONES", "SPOT", "PLACEMENT", "RESERVED", "NVME", "DOMAINS", "WHY",
)  # fmt: skip
_PODS = ("WORKLOAD", "ROLE", "PODS", "GPUS PER POD", "ASKS FOR THE FABRIC", "WHY")


@click.command("jobs", cls=InOrder)
@click.argument("paths", nargs=-1, required=True, shell_complete=complete.files)
@click.option("--policy", shell_complete=complete.policies, help="A policy file, or the name of a shipped one.")
@click.option("--workload", type=click.Path(path_type=Path), help="A workload manifest.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Table or JSON.")
@source_options
@variable_options
def jobs_command(
    paths: tuple[str, ...], policy: str | None, workload: Path | None, form: str, hcl_dir: Path | None,
    binary_plan: Path | None, variables: tuple[str, ...], var_files: tuple[str, ...],
) -> int:  # fmt: skip
    """Every job understood: role, nodes, GPUs, types, fabric and state, zones, spot, placement, reservation, local NVMe
    of a node and NVLink domains or TPU slices; then the Kubernetes workloads whose pods take accelerators.
    """
    from auditor.pipeline import audit

    catalog = Catalog()
    every = known_rules()
    when = as_of_date(None)
    config = read_config(policy, workload, {}, catalog, every, when)
    plans = read_with_source(paths, in_order(variables, var_files), hcl_dir, binary_plan)
    report = audit(plans, config, catalog, select(every.values(), (), {}), every, when)
    if form == "json":
        click.echo(_as_json(report.jobs, report.workloads))
        return ExitCode.OK
    for row in (_HEAD, *(_row(j) for j in report.jobs)):
        click.echo(inert("\t".join(clean(cell) for cell in row)))
    if report.workloads:
        click.echo()
        for row in (_PODS, *(_pods(w) for w in report.workloads)):
            click.echo(inert("\t".join(clean(cell) for cell in row)))
    return ExitCode.OK


def _as_json(jobs: Sequence[Job], workloads: Sequence[Workload]) -> str:
    """The `jobs` and `workloads` of the JSON report, as a document of their own."""
    import msgspec

    from auditor.report.json_report import job_record, workload_record

    held = {"jobs": [job_record(j) for j in jobs], "workloads": [workload_record(w) for w in workloads]}
    return msgspec.json.format(msgspec.json.encode(held), indent=2).decode()


def _row(j: Job) -> tuple[str, ...]:
    zones = ",".join(j.zones) or ("?" if j.zones_max is None else f"{j.zones_max} zones")
    return (
        j.name, j.role, _span(j.nodes_min, j.nodes_max), _span(j.gpus_min, j.gpus_max), ",".join(j.instance_types) or "?",
        f"{j.fabric} {j.fabric_state}", zones, _word(j.spot), j.placement or "-", _word(j.reservation),
        _nvme(j), _span(j.domains_min, j.domains_max), j.cause or "; ".join(j.missing) or j.role_reason,
    )  # fmt: skip


def _pods(w: Workload) -> tuple[str, ...]:
    return (
        w.address, w.role, _span(w.pods, w.pods), _span(w.gpus, w.gpus), _word(w.fabric),
        "read from the text of a chart's values" if w.read_from_text else w.role_reason,
    )  # fmt: skip


def _nvme(j: Job) -> str:
    """Local NVMe of a node, in GB; "-" for none, "?" where the catalogue does not know."""
    size = j.local_nvme_gb
    return "?" if size is None else (f"{size} GB" if size else "-")


def _span(low: int | None, high: int | None) -> str:
    first, last = ("?" if n is None else str(n) for n in (low, high))
    return first if first == last else f"{first}-{last}"


def _word(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "?"}[value]
