"""Reports built by hand for the tests of the formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from auditor.model import (
    Coverage,
    Evidence,
    Finding,
    Gate,
    InputInfo,
    Job,
    Location,
    Place,
    Report,
    Rule,
    SourceRange,
    Summary,
    Waived,
    WaiverRef,
    Workload,
)
from auditor.report import FORMATS, RenderOptions, Revision

GOLDEN = Path(__file__).parent / "golden"

RULES = (
    Rule(
        id="LAG001",
        title="Feature without native support",
        why="A feature that the provider does not support yet is built through a workaround.",
        remediation="Wait, or accept the workaround.",
        level="warning",
        check="lag.open",
        set="lag",
    ),
    Rule(
        id="NET002",
        title="Fabric not switched on",
        why="A multi-node job without its fabric waits for the network.",
        remediation="Switch the fabric on.",
        level="error",
        check="fabric",
        set="interconnect",
    ),
    Rule(
        id="SOV001",
        title="Resource outside the allow list",
        why="Data would land where the policy does not allow it.",
        remediation="Choose an allowed region.",
        level="error",
        check="location",
        set="sovereignty",
        security_severity="8.0",
        precision="very-high",
        sources=("https://example.org/rule",),
        bad='resource "x" "y" {\n  region = "us-east-1"\n}',
        good='resource "x" "y" {\n  region = "eu-central-1"\n}',
    ),
    Rule(
        id="SOV002",
        title="Location cannot be decided",
        why="An unknown location is not a pass.",
        remediation="Say where it is.",
        level="warning",
        check="location",
        set="sovereignty",
        security_severity="5.0",
    ),
    Rule(id="PLC001", title="Job over several zones", why="", remediation="", level="error", check="zones", set="placement"),
)

GPU = SourceRange("train/main.tf", 14, 3, 14, 30)
ALIAS = (
    Evidence("region from provider alias cloud.us"),
    Evidence("module call module.train", "main.tf", 3),
    Evidence("provider block cloud.us", "train/providers.tf", 6),
)


def finding(rule: str = "SOV001", address: str = "cloud_bucket.raw", **changes: Any) -> Finding:
    """A fail of SOV001 in us-east-1, changed as the test needs."""
    base = Finding(
        rule=rule,
        kind="fail",
        level="error",
        address=address,
        path="region",
        observed="us-east-1",
        expected="EU",
        message=f"{address} would be created in us-east-1 (US); allowed: EU",
        remediation='set region = "eu-central-1"',
        fingerprint="0123456789abcdef0123456789abcdef",
        countries=("US",),
        role="home",
    )
    return replace(base, **changes)


def undecided(address: str, **changes: Any) -> Finding:
    """An open of SOV002 that `assume` would decide."""
    values: dict[str, Any] = {
        "kind": "open",
        "level": "warning",
        "observed": "",
        "message": f"region of {address} is only known to the environment",
        "remediation": "pass --assume cloud.region=eu-central-1",
        "fingerprint": "f" * 32,
        "countries": (),
        "cause": "provider cloud: region from the environment",
    }
    return finding("SOV002", address, **(values | changes))


def report(*findings: Finding, **changes: Any) -> Report:
    """A report around `findings`, with a summary that fits them."""
    fails = [f for f in findings if f.kind == "fail"]
    opens = [f for f in findings if f.kind == "open"]
    waived = changes.get("waived", ())
    base = Report(
        version="0.1.0",
        catalog="2026-11-20",
        as_of="2026-11-20",
        inputs=(InputInfo("plan.json", "plan", "1.11.4", False),),
        verdict="fail" if any(f.level == "error" for f in fails) else "open" if opens else "pass",
        summary=Summary(
            error=sum(f.level == "error" for f in fails),
            warning=sum(f.level == "warning" for f in fails),
            note=sum(f.level == "note" for f in fails),
            open=len(opens),
            waived=len(waived),
        ),
        findings=tuple(findings),
        waived=(),
        jobs=(),
        locations=(),
        coverage=Coverage(212, 41, 100, 3, 10, 24),
        rules=RULES,
        allow=("EU",),
    )
    return replace(base, **changes)


def rich_report() -> Report:
    """Something of everything: instances, an open cause, a job, waived, baseline, assumptions."""
    gpus = [
        finding("SOV001", f"module.train.cloud_instance.gpu[{i}]", location=GPU, evidence=ALIAS, job="train")
        for i in (0, 1, 2, 10)
    ]
    opens = [undecided(f"cloud_queue.q{i}", location=SourceRange("queue.tf", i, 1, i, 9)) for i in (1, 2, 3, 4, 5)]
    net = finding(
        "NET002",
        "module.train.cloud_instance.gpu",
        path="network_interface",
        observed="interface_type missing",
        expected="efa",
        message="4 nodes x 8 GPUs = 32 GPUs without the fabric",
        remediation="",
        fingerprint="a" * 32,
        countries=(),
        role=None,
        job="module.train.cloud_instance.gpu",
    )
    lag = finding(
        "LAG001",
        "cloudapi_resource.agent",
        level="warning",
        path="type",
        observed="agents",
        expected="",
        message="agents: API first public 5 months ago",
        dates=(("2026-06-12", "API first public"), ("2026-09-12", "limit passed")),
        remediation="",
        fingerprint="b" * 32,
        countries=(),
        role=None,
    )
    waived = Waived(
        finding("SOV001", "cloud_bucket.legacy", fingerprint="c" * 32),
        WaiverRef("CDN logs, no personal data", "2027-01-31", ".auditor.yaml:31", "platform-team"),
    )
    found = report(
        *gpus,
        *opens,
        net,
        lag,
        waived=(waived,),
        jobs=(
            Job(
                name="module.train.cloud_instance.gpu",
                cloud="cloud",
                addresses=("module.train.cloud_instance.gpu",),
                role="training",
                role_reason="name says train",
                nodes_min=4,
                nodes_max=4,
                gpus_min=32,
                gpus_max=32,
                instance_types=("big.48",),
                accelerators=("H100",),
                fabric="efa",
                fabric_state="off",
                zones=("us-east-1a",),
                zones_max=1,
                regions=("us-east-1",),
            ),
        ),
        locations=(
            Location("cloud_bucket.raw", "region", "home", "us-east-1", "provider", (Place("cloud", "us-east-1", "US"),)),
            Location(
                "cloud_bucket.secret", "region", "home", "eu-1", "attribute", (Place("cloud", "eu-1", "DE"),), sensitive=True
            ),
            Location("cloud_queue.q1", "", "home", "", "unknown", cause="region from the environment"),
        ),
        assumptions=("cloud.region=eu-central-1",),
        not_configured=("economics (no workload manifest)",),
        workloads=(Workload("kubernetes_job.x[0]", "kubernetes_job.x", "training", "kind: Job", 4, 8, False, "spec"),),
        gates=(
            Gate(1, "Data gravity", "NO-GO", "80 TB > 50 TB; saving 35.0% is not > 40%", ("ECO001",), fix="move compute"),
            Gate(2, "Latency", "UNDECIDED", "role unknown", ("NET002",), ("workload.role",)),
            Gate(4, "Inference 24/7", "N/A", "no inference capacity in plan"),
        ),
        overall="NO-GO",
    )
    return replace(found, summary=replace(found.summary, unchanged=3))


# Markup of every format, a workflow command, terminal colours, bidi and zero-width characters, line breaks.
HOSTILE = (
    "cloud_x.y[\"\x1b[31m\u202e\n::error::x|b<script>alert(1)</script>`@team](1)#5'&amp;{0}%0A]]>-->\u200b\r\n"
    '![i](https://evil.example/i) </details> <img src=x onerror=alert(1)> */ }}"]'
)
INERT = 'cloud_x.y["plain"]'


def named_report(name: str) -> Report:
    """Every string a plan author can choose is `name`."""
    bad = finding(
        "SOV001",
        name,
        path=name,
        observed=name,
        expected=name,
        message=f"{name} is in {name}",
        remediation=f"rename {name}",
        cause=name,
        job=name,
        dates=(("2026-01-01", name), (name, name)),
        evidence=(Evidence(name, f"{name}.tf", 3), Evidence(name, "b.tf", 4)),
        location=SourceRange(f"dir,a:b/{name}.tf", 2, 1, 2, 5),
    )
    places = (Place(name, name, "US"), Place("c", name, name))
    return report(
        bad,
        undecided(name, cause=name),
        undecided(name + "2", cause=name),
        inputs=(InputInfo(name, "plan", name, True),),
        partial=(name,),
        assumptions=(name,),
        notices=(name,),
        errors=(name,),
        not_configured=(name,),
        allow=(name,),
        waived=(Waived(bad, WaiverRef(name, "2027-01-31", name, name)),),
        locations=(
            Location(name, name, "home", name, "attribute", places[:1]),
            Location(name, name, "replica", name, "attribute", places, cause=name),
        ),
        gates=(Gate(1, "Latency", "UNDECIDED", name, (name,), (name,), name, name, (name,)),),
        overall="UNDECIDED",
        jobs=(
            Job(
                name=name,
                cloud=name,
                addresses=(name,),
                role="training",
                role_reason=name,
                nodes_min=2,
                nodes_max=None,
                gpus_min=16,
                gpus_max=None,
                instance_types=(name,),
                accelerators=(name,),
                fabric=name,
                fabric_state="open",
                zones=(name, name + "b"),
                zones_max=2,
                regions=(name,),
                missing=(name,),
                cause=name,
                placement=name,
                facts=(name,),
            ),
        ),
        workloads=(Workload(name, name, "training", name, None, 8, None, name),),
    )


def hostile_report() -> Report:
    return named_report(HOSTILE)


def golden() -> dict[str, str]:
    """File name -> text, for every format over three reports."""
    options = RenderOptions(
        stack="prod/eu",
        sarif_include_waived=True,
        revision=Revision("https://example.org/stacks/eu.git", "0123456789" * 4),
        excerpt=lambda at: "  provider = cloud.us # pin"[at.start_column - 1 : at.end_column - 1],
    )
    scenarios = {"clean": report(), "mixed": rich_report(), "hostile": hostile_report()}
    return {
        f"{scenario}.{name}": render(made, options) for scenario, made in scenarios.items() for name, render in FORMATS.items()
    }
