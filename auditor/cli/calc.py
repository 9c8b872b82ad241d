"""`auditor calc`: the arithmetic of the gates by itself, with or without a plan."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from auditor.cli.calc_inputs import (
    Inputs,
    Page,
    at_least_one,
    check_option,
    form_option,
    from_option,
    number,
    workload_option,
)
from auditor.economics import plain, usd
from auditor.errors import AuditorError, ExitCode
from auditor.files import read_bytes


@click.group("calc", context_settings={"max_content_width": 110})
def calc_command() -> None:
    """Egress, repatriation, serverless cliff, core licences, recorded latency: each with its formula in --help."""


# --- egress ------------------------------------------------------------------------------------------


def _tiers(text: str) -> list[Mapping[str, Any]]:
    """`10:0.09,0.05` -> 10 TB a month at 0.09, the rest at 0.05."""
    made: list[Mapping[str, Any]] = []
    for part in text.split(","):
        end, colon, price = part.strip().rpartition(":")
        made.append({"up_to_tb": end, "usd_gb": price} if colon else {"usd_gb": price})
    return made


@calc_command.command("egress")
@click.option("--dataset-tb", type=number, help="Size of the dataset, TB.")
@click.option("--mode", type=click.Choice(["full_each_run", "full_once", "shards"]), help="What is transferred.")
@click.option("--runs", type=number, help="Runs (retrainings) a month.")
@click.option("--active-fraction", type=number, help="Share of the dataset a run reads, 0 to 1 (shards).")
@click.option("--amortise-months", type=at_least_one, help="Months a single full transfer counts over (full_once).")
@click.option("--checkpoint-tb", type=number, help="Checkpoints brought back per run, TB.")
@click.option("--hub-usd", type=number, help="Cost on the hub, USD a month.")
@click.option("--spoke-usd", type=number, help="Cost on the spoke, USD a month.")
@click.option("--hub-price", type=number, help="USD per GB out of the hub (default: the policy's, else 0.09).")
@click.option("--spoke-price", type=number, help="USD per GB out of the spoke (default: the policy's, else 0).")
@click.option("--tiers", help="Tiered hub price, TB:USD: 10:0.09,50:0.085,0.07 (the last has no end).")
@click.option("--price-as-of", default="", help="The day the prices were read.")
@click.option("--max-share", type=number, default="0.15", show_default=True, help="Share of the saving egress may take.")
@from_option
@workload_option
@check_option
@form_option
def egress_command(
    dataset_tb: Decimal | None, mode: str | None, runs: Decimal | None, active_fraction: Decimal | None,
    amortise_months: Decimal | None, checkpoint_tb: Decimal | None, hub_usd: Decimal | None, spoke_usd: Decimal | None,
    hub_price: Decimal | None, spoke_price: Decimal | None, tiers: str | None, price_as_of: str, max_share: Decimal,
    plan: str | None, workload: Path | None, checked: bool, form: str,
) -> int:  # fmt: skip
    """What moving the data costs a month, as a share of the saving.

    \b
    GB hub->spoke   full_each_run: TB x 1000 x runs
                    full_once:     TB x 1000 / amortise_months
                    shards:        TB x 1000 x active_fraction x runs
    GB spoke->hub   checkpoint_tb x 1000 x runs
    share           (GB x hub price + GB x spoke price) / (hub cost - spoke cost)
    over            share > max_share, or no saving at all; equality is within
    """
    from auditor.checks.economics import as_of_text, price_text
    from auditor.economic_facts import DEFAULT_AS_OF
    from auditor.economics import egress, flat_price, hub_gb, percent, spoke_gb, tier_problem, tiered_price

    page = Page("egress")
    inputs = Inputs(page, plan, workload)
    size = inputs.needed(dataset_tb, "dataset_tb", "--dataset-tb")
    if mode is None and inputs.declared is not None and (mode := inputs.declared.text("transfer.mode") or None):
        page.fill(f"transfer.mode = {mode}", inputs.source)
    mode = mode or "full_each_run"
    monthly = inputs.number(runs, "transfer.runs_per_month")
    if monthly is None and mode != "full_once":
        raise click.UsageError("missing --runs (or workload.transfer.runs_per_month)")
    fraction = inputs.needed(active_fraction, "transfer.active_fraction", "--active-fraction") if mode == "shards" else Decimal(1)
    if fraction > 1:
        raise click.BadParameter("a fraction is 0 to 1", param_hint="--active-fraction")
    months = inputs.number(amortise_months, "transfer.amortise_months") or Decimal(1)
    back = inputs.number(checkpoint_tb, "transfer.checkpoint_tb") or Decimal(0)
    hub_cost = inputs.needed(hub_usd, "monthly_usd.hub", "--hub-usd")
    spoke_cost = inputs.needed(spoke_usd, "monthly_usd.spoke", "--spoke-usd")
    usual = (flat_price(Decimal("0.09"), DEFAULT_AS_OF), flat_price(Decimal(0), DEFAULT_AS_OF))
    hub, spoke = inputs.prices or usual
    hub = hub if hub_price is None else flat_price(hub_price, price_as_of, True)
    spoke = spoke if spoke_price is None else flat_price(spoke_price, price_as_of, True)
    if tiers:
        try:
            parts = _tiers(tiers)
            if problem := tier_problem(parts):
                raise click.BadParameter(problem, param_hint="--tiers")
            hub = tiered_price(parts, price_as_of)
        except InvalidOperation:
            raise click.BadParameter(f"{tiers!r} is not like 10:0.09,0.05", param_hint="--tiers") from None
    volume = hub_gb(mode, size, monthly or Decimal(0), fraction, months)
    if inputs.same_place:
        page.fill("compute and data in one region: nothing leaves it", str(plan))
        volume = volume * 0
    saving = hub_cost - spoke_cost
    home = spoke_gb(back, monthly or Decimal(0)) * (0 if inputs.same_place else 1)
    bill = egress(volume, home, hub, spoke, saving, max_share)
    page.line(f"hub->spoke   {plain(bill.hub_gb / 1000, 3)} TB a month = {usd(bill.hub_usd)}", hub_usd=usd(bill.hub_usd))
    page.line(f"spoke->hub   {plain(bill.spoke_gb / 1000, 3)} TB a month = {usd(bill.spoke_usd)}", spoke_usd=usd(bill.spoke_usd))
    page.line(f"egress       {usd(bill.usd)} a month", egress_usd=usd(bill.usd))
    page.line(f"saving       {usd(saving)} a month", saving_usd=usd(saving))
    limit = max_share * 100
    share = percent(bill.share * 100, _fraction(limit)) if bill.share is not None else "no saving to take a share of"
    page.line(f"share        {share} (limit {plain(limit)}%)", share=share, limit=f"{plain(limit)}%")
    most, needed = bill.most_hub_gb(hub), bill.needed_saving()
    even = "any amount at this price" if most is None else f"{_floored(most / 1000)} TB a month hub->spoke"
    page.line(f"break-even   {even}" + (f", or a saving of {usd(needed)}" if needed is not None else ""), break_even=even)
    for name, price in (("hub", hub), ("spoke", spoke)):
        page.line(f"price        {name} {price_text(price).removeprefix('x ')} ({as_of_text(price)})")
    return _end(page, form, bill.passes, checked)


def _fraction(value: Decimal) -> Any:
    from fractions import Fraction

    return Fraction(value)


def _floored(value: Any) -> str:
    """Rounded down, so that what is printed still passes."""
    from auditor.economics import as_decimal

    return plain(as_decimal(value, Decimal("0.001")))


def _end(
    page: Page, form: str, passes: bool, checked: bool, word: tuple[str, str] = ("within the limit", "OVER THE LIMIT")
) -> int:
    verdict = word[0] if passes else word[1]
    page.line(f"verdict      {verdict}", verdict="pass" if passes else "fail")
    page.show(form)
    return ExitCode.FINDINGS if checked and not passes else ExitCode.OK


# --- repatriation ------------------------------------------------------------------------------------


@calc_command.command("repatriation")
@click.option("--cloud-node-usd", type=number, help="Cloud node, USD a month.")
@click.option("--pod-node-usd", type=number, help="Own node, USD a month (power, space, people, and write-off if not upfront).")
@click.option("--upfront-usd", type=number, default="0", show_default=True, help="Paid upfront for an own node, USD.")
@click.option("--gpu-hour-usd", type=number, help="With --gpus-per-node: cloud node = price x GPUs x 720 h.")
@click.option("--gpus-per-node", type=int, help="GPUs of a cloud node.")
@click.option("--nodes", type=int, help="Number of nodes.")
@click.option("--months", type=click.IntRange(1), default=36, show_default=True)
@from_option
@workload_option
@form_option
def repatriation_command(
    cloud_node_usd: Decimal | None, pod_node_usd: Decimal | None, upfront_usd: Decimal, gpu_hour_usd: Decimal | None,
    gpus_per_node: int | None, nodes: int | None, months: int, plan: str | None, workload: Path | None, form: str,
) -> int:  # fmt: skip
    """A node in the cloud against the same node in a pod of one's own.

    \b
    multiple    cloud a month / pod a month
    delta       (cloud - pod) x months - upfront, a node
    crossover   the first month m with cloud x m >= upfront + pod x m
    """
    from auditor.economics import HOURS_PER_MONTH, Repatriation

    page = Page("repatriation")
    inputs = Inputs(page, plan, workload)
    if nodes is None and inputs.jobs and all(j.nodes_max is not None for j in inputs.jobs):
        nodes = sum(j.nodes_max for j in inputs.jobs)
        page.fill(f"nodes = {nodes}", str(plan))
    if gpus_per_node is None:
        sizes = {j.gpus_max // j.nodes_max for j in inputs.jobs if j.gpus_max and j.nodes_max}
        if len(sizes) == 1:
            gpus_per_node = sizes.pop()
            page.fill(f"GPUs a node = {gpus_per_node}", str(plan))
    if cloud_node_usd is None and gpu_hour_usd is not None and gpus_per_node:
        cloud_node_usd = gpu_hour_usd * gpus_per_node * HOURS_PER_MONTH
        page.line(f"cloud node   {usd(gpu_hour_usd)} x {gpus_per_node} GPUs x 720 h = {usd(cloud_node_usd)} a month")
    cloud = inputs.needed(cloud_node_usd, "inference.cloud_node_usd", "--cloud-node-usd")
    pod = inputs.needed(pod_node_usd, "inference.pod_node_usd", "--pod-node-usd")
    if nodes is None and inputs.declared is not None:
        nodes = inputs.declared.whole("inference.nodes")
    r = Repatriation(cloud, pod, months, nodes or 1, upfront_usd)
    multiple = f"{plain(r.multiple, 2)}x" if r.multiple is not None else "no multiple of nothing"
    page.line(f"multiple     {multiple} ({usd(cloud)} / {usd(pod)})", multiple=multiple)
    page.line(f"delta        {usd(r.monthly_delta)} a node and month", monthly_delta_usd=usd(r.monthly_delta))
    page.line(f"             {usd(r.total_delta)} a node over {months} months", total_delta_usd=usd(r.total_delta), months=months)
    if nodes:
        page.line(f"             {usd(r.total_delta * nodes)} for {nodes} nodes over {months} months", nodes=nodes)
    crossed = r.crossover_month
    said = "never" if crossed is None else f"month {crossed}"
    page.line(f"crossover    {said}", crossover_month=crossed)
    page.show(form)
    return ExitCode.OK


# --- cliff -------------------------------------------------------------------------------------------


@calc_command.command("cliff")
@click.option("--price-req", type=number, help="USD per request.")
@click.option("--seconds", type=number, help="Seconds per request.")
@click.option("--gb", type=number, help="GB of memory per request.")
@click.option("--price-gb-s", type=number, help="USD per GB-second.")
@click.option("--dedicated-month-usd", type=number, help="A dedicated node, USD a month.")
@click.option("--rps", type=number, help="Requests per second, steady.")
@click.option("--rps-per-node", type=number, help="Requests per second one node serves.")
@click.option("--svg", type=click.Path(path_type=Path), help="Write the two cost lines as SVG here.")
@from_option
@workload_option
@check_option
@form_option
def cliff_command(
    price_req: Decimal | None, seconds: Decimal | None, gb: Decimal | None, price_gb_s: Decimal | None,
    dedicated_month_usd: Decimal | None, rps: Decimal | None, rps_per_node: Decimal | None, svg: Path | None,
    plan: str | None, workload: Path | None, checked: bool, form: str,
) -> int:  # fmt: skip
    """The rate above which a dedicated node costs less than serverless.

    \b
    per request   price_req + seconds x GB x price_gb_s
    cliff         dedicated_month / (2,592,000 s x per request)
    nodes         ceil(rps / rps_per_node)
    over          rps > cliff; equality is within
    """
    from auditor.cliffplot import chart, svg_plot
    from auditor.economics import Cliff, nodes_for

    page = Page("cliff")
    inputs = Inputs(page, plan, workload)

    def needed(value: Decimal | None, key: str) -> Decimal:
        return inputs.needed(value, f"serverless.{key}", f"--{key.replace('_', '-')}")

    cliff = Cliff(
        needed(price_req, "price_req"), needed(seconds, "seconds"), needed(gb, "gb"), needed(price_gb_s, "price_gb_s"),
        needed(dedicated_month_usd, "dedicated_month_usd"),
    )  # fmt: skip
    rate = inputs.number(rps, "serverless.rps")
    per_node = inputs.number(rps_per_node, "serverless.rps_per_node")
    at = cliff.rps
    page.line(f"per request  ${plain(cliff.per_request)}", per_request_usd=cliff.per_request)
    shown = None if at is None else plain(at, 2)
    page.line(f"cliff        {'never' if shown is None else shown + ' requests/s'}", cliff_rps=shown)
    passes = True
    if rate is not None:
        passes = not cliff.past(rate)
        page.line(f"serverless   {usd(cliff.serverless_usd(rate))} a month at {plain(rate)} requests/s", rps=rate)
        if per_node:
            nodes = nodes_for(rate, per_node)
            page.line(f"dedicated    {usd(cliff.dedicated_month_usd * nodes)} a month, {nodes} nodes", nodes=nodes)
    if at is not None:
        if form == "text":
            page.lines += chart(cliff, rate)
        if svg is not None:
            try:
                svg.write_text(svg_plot(cliff, rate), encoding="utf-8")
            except OSError as e:
                raise AuditorError(f"{svg}: cannot be written: {e.strerror or e}") from e
    return _end(page, form, passes, checked, ("serverless is not dearer", "PAST THE CLIFF"))


# --- cores -------------------------------------------------------------------------------------------


@calc_command.command("cores")
@click.option("--sockets", type=click.IntRange(0), help="Sockets a host.")
@click.option("--cores-per-socket", type=click.IntRange(0), help="Cores a socket.")
@click.option("--min-cores-per-socket", type=click.IntRange(0), help="Least cores billed a socket (your contract: no default).")
@click.option("--usd-per-core-year", type=number, help="USD per core and year.")
@click.option("--hosts", type=click.IntRange(1), default=1, show_default=True)
@from_option
@workload_option
@form_option
def cores_command(
    sockets: int | None, cores_per_socket: int | None, min_cores_per_socket: int | None, usd_per_core_year: Decimal | None,
    hosts: int, plan: str | None, workload: Path | None, form: str,
) -> int:  # fmt: skip
    """Core-licensed virtualisation under GPU hosts.

    \b
    billed cores   sockets x max(cores a socket, minimum a socket)
    a year         billed cores x hosts x USD a core and year
    """
    from auditor.economics import CoreLicence

    page = Page("cores")
    inputs = Inputs(page, plan, workload)

    def whole(given: int | None, key: str) -> int:
        return int(inputs.needed(None if given is None else Decimal(given), f"vmware.{key}", f"--{key.replace('_', '-')}"))

    cores = CoreLicence(
        whole(sockets, "sockets"), whole(cores_per_socket, "cores_per_socket"),
        whole(min_cores_per_socket, "min_cores_per_socket"),
        inputs.needed(usd_per_core_year, "vmware.usd_per_core_year", "--usd-per-core-year"), hosts,
    )  # fmt: skip
    most = f"max({cores.cores_per_socket}, {cores.min_cores_per_socket})"
    billed = cores.billed_cores
    page.line(f"billed       {cores.sockets} x {most} = {billed} cores a host", billed_cores=billed)
    idle = cores.billed_cores - cores.sockets * cores.cores_per_socket
    if idle:
        page.line(f"             {idle} of them are not there", billed_but_absent=idle)
    year, many = cores.usd_year, "host" if hosts == 1 else "hosts"
    page.line(f"a year       {usd(year)} for {hosts} {many}", usd_year=year, hosts=hosts)
    page.line(f"a month      {usd(cores.usd_year / 12)}")
    page.show(form)
    return ExitCode.OK


# --- latency -----------------------------------------------------------------------------------------


@calc_command.command("latency")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Unit of a CSV column without one in its name.")
@click.option("--column", default="", help="Column of a CSV file: its name, or its number where there is no header.")
@click.option("--max-p99-ms", type=number, default="1.0", show_default=True, help="p99 must be under this.")
@check_option
@form_option
def latency_command(file: Path, unit: str | None, column: str, max_p99_ms: Decimal, checked: bool, form: str) -> int:
    """Round trips that you recorded, against the sub-millisecond mandate. Sends nothing.

    \b
    Reads      ping (its lines), sockperf (summary), nccl-tests (table), CSV (a column of times)
    pNN        nearest rank: the smallest sample that NN% of all do not exceed
    jitter     mean |difference| of consecutive samples; of a summary, its standard deviation
    over       p99 >= max_p99_ms; 1.0 ms is over
    """
    from auditor.latency import ENOUGH, LatencyError, read_recording

    try:
        text = read_bytes(file).decode("utf-8-sig", errors="replace")
        recording = read_recording(text, unit or "", column)
    except OSError as e:
        raise AuditorError(f"{file}: cannot be read: {e.strerror or e}") from e
    except LatencyError as e:
        raise AuditorError(f"{file}: {e}") from e
    page = Page("latency")
    page.line(f"tool         {recording.tool}", tool=recording.tool)
    page.line(f"samples      {recording.count}" + (f", {recording.lost} lost" if recording.lost else ""),
              samples=recording.count, lost=recording.lost)  # fmt: skip
    for name, p in (("p50", "50"), ("p99", "99"), ("p99.9", "99.9")):
        value = recording.percentile(Decimal(p))
        page.line(f"{name:<12} {'not recorded' if value is None else plain(value, 6) + ' ms'}", **{name: value})
    jitter = recording.jitter
    page.line(f"jitter       {'not recorded' if jitter is None else plain(jitter, 6) + ' ms'}",
              jitter_ms=None if jitter is None else plain(jitter, 6))  # fmt: skip
    for note in recording.notes:
        page.line(f"note         {note}")
    if recording.count < ENOUGH:
        page.line(f"note         {recording.count} samples; {ENOUGH} or more show a tail (NET007 notes fewer)")
    verdict, why = recording.verdict(max_p99_ms)
    page.line(f"verdict      {verdict}: {why}", verdict=verdict, why=why)
    p99 = recording.percentile(Decimal(99))
    if p99 is not None and not recording.means:
        page.line(
            f"manifest     measurements: [{{between: [A, B], p99_ms: {p99.normalize():f}, samples: {recording.count}, "
            f"measured_on: YYYY-MM-DD, tool: {recording.tool}}}]"
        )
    page.show(form)
    if checked and verdict != "pass":
        return ExitCode.FINDINGS if verdict == "fail" else ExitCode.CANNOT_AUDIT
    return ExitCode.OK
