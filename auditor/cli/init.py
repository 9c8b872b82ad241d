"""`auditor init`: a first policy, or a workload manifest, in the working directory. Asks nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from auditor.catalog import Catalog
from auditor.cli.common import as_of_date
from auditor.config import POLICY_NAME
from auditor.errors import AuditorError, ExitCode, PolicyError
from auditor.places import item_problem

_POLICY: Final = """\
version: 1
allow: [{allow}]   # blocs, ISO countries or cloud:region; `auditor regions` prints what this expands to
fail_on: error     # error | warning | note
# What only you know stands in workload.yaml (`auditor init --workload`), or here under `workload:`.
# A question whose facts are not declared stays open; it is never answered with a pass.
"""

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


@click.command("init")
@click.option("--workload", is_flag=True, help="Write workload.yaml instead of the policy.")
@click.option("--allow", "allowed", multiple=True, help="A place to allow (default EU). May be repeated.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--as-of", help="The date to write (default: today).")
def init_command(workload: bool, allowed: tuple[str, ...], force: bool, as_of: str | None) -> int:
    """Write a first .auditor.yaml, or with --workload a workload.yaml to fill in."""
    today = as_of_date(as_of).isoformat()
    if workload and allowed:
        raise click.UsageError("--allow belongs to the policy, not to the workload")
    if workload:
        path, text = Path("workload.yaml"), _WORKLOAD.format(today=today)
    else:
        index = Catalog().index
        for item in allowed:
            if problem := item_problem(item, index):
                raise click.BadParameter(problem, param_hint="--allow")
        places = ", ".join(f'"{a}"' if a == "NO" or ":" in a else a for a in allowed or ("EU",))
        path, text = Path(POLICY_NAME), _POLICY.format(allow=places)
    if path.exists() and not force:
        raise PolicyError(f"{path} is there already", "--force writes over it")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as e:
        raise AuditorError(f"{path}: cannot be written: {e.strerror or e}") from e
    click.echo(f"wrote {path}")
    return ExitCode.OK
