"""The calculators by themselves, and filled from a plan and a manifest; recorded latencies of every tool."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import PLANS

from auditor.cli import cli
from auditor.latency import LatencyError, nearest_rank, read_recording

D = Decimal


def calc(*args: str) -> Result:
    return CliRunner().invoke(cli, ["calc", *args], standalone_mode=False)


EGRESS = ("egress", "--dataset-tb", "300", "--runs", "1", "--hub-price", "0.1", "--hub-usd", "500000", "--spoke-usd")


@pytest.mark.parametrize(("spoke", "code", "share"), [("300000", 0, "15.0%"), ("300000.01", 1, "15.000001%")])
def test_egress_at_the_limit_and_a_cent_beyond(spoke: str, code: int, share: str) -> None:
    done = calc(*EGRESS, spoke, "--check")
    assert (done.return_value, share in done.output) == (code, True), done.output


def test_egress_says_everything() -> None:
    done = calc("egress", "--dataset-tb", "30", "--runs", "4", "--hub-usd", "100000", "--spoke-usd", "60000")
    for text in (
        "120 TB a month = $10,800.00", "share        27.0% (limit 15%)",
        "66.666 TB a month hub->spoke, or a saving of $72,000.00",
        "hub $0.09/GB (default price as of 2026-11-20, flat)", "OVER THE LIMIT", "1 TB = 1000 GB",
    ):  # fmt: skip
        assert text in done.output
    assert done.return_value == 0


def test_egress_in_tiers() -> None:
    done = calc(
        "egress", "--dataset-tb", "22", "--mode", "full_once", "--tiers", "10:0.09,0.05", "--hub-usd", "20000",
        "--spoke-usd", "10000", "--check",
    )  # fmt: skip
    assert (done.return_value, "share        15.0%" in done.output) == (0, True), done.output


def test_egress_filled_by_plan_and_manifest(tmp_path: Path) -> None:
    manifest = tmp_path / "w.yaml"
    manifest.write_text(
        "version: 1\ndataset_tb: 80\ntransfer: {mode: shards, active_fraction: 0.05, runs_per_month: 2}\n"
        "monthly_usd: {hub: 100000, spoke: 50000}\n"
    )
    plan = str(PLANS / "k-k8s-nebius" / "plan.json")
    done = calc("egress", "--from", plan, "--workload", str(manifest), "--format", "json")
    data = json.loads(done.output)
    assert data["hub_usd"] == "$720.00"
    assert f"compute on nebius (from {plan})" in data["filled"]
    assert "dataset_tb = 80 (from w.yaml)" in data["filled"]


def test_repatriation() -> None:
    done = calc("repatriation", "--cloud-node-usd", "18000", "--pod-node-usd", "4200", "--nodes", "6")
    for text in (
        "4.29x",
        "$13,800.00 a node and month",
        "$496,800.00 a node over 36 months",
        "$2,980,800.00 for 6 nodes",
        "month 1",
    ):
        assert text in done.output
    never = calc("repatriation", "--cloud-node-usd", "4000", "--pod-node-usd", "4200", "--upfront-usd", "1")
    assert "crossover    never" in never.output
    hourly = calc("repatriation", "--gpu-hour-usd", "4", "--gpus-per-node", "8", "--pod-node-usd", "4200")
    assert "$4.00 x 8 GPUs x 720 h = $23,040.00 a month" in hourly.output


def test_cliff_and_its_plot(tmp_path: Path) -> None:
    numbers = (
        "cliff",
        "--price-req",
        "0.000125",
        "--seconds",
        "0",
        "--gb",
        "0",
        "--price-gb-s",
        "0",
        "--dedicated-month-usd",
        "3240",
    )
    svg = tmp_path / "c.svg"
    at = calc(*numbers, "--rps", "10", "--check", "--svg", str(svg))
    assert (at.return_value, "cliff        10 requests/s" in at.output, "^ 10 requests/s" in at.output) == (0, True, True)
    assert svg.read_text().startswith("<svg")
    assert svg.read_text().endswith("</svg>\n")
    assert calc(*numbers, "--rps", "10.0001", "--check").return_value == 1


def test_cores() -> None:
    done = calc("cores", "--sockets", "2", "--cores-per-socket", "8", "--min-cores-per-socket", "16",
                "--usd-per-core-year", "150", "--hosts", "3")  # fmt: skip
    for text in ("2 x max(8, 16) = 32 cores a host", "16 of them are not there", "$14,400.00 for 3 hosts", "$1,200.00"):
        assert text in done.output


@pytest.mark.parametrize("command", ["egress", "repatriation", "cliff", "cores", "latency"])
def test_the_formula_is_in_the_help(command: str) -> None:
    shown = CliRunner().invoke(cli, ["calc", command, "--help"]).output
    assert {"egress": "share", "repatriation": "multiple", "cliff": "per request", "cores": "billed cores", "latency": "p99 >= "}[
        command
    ] in shown


# --- latency -----------------------------------------------------------------------------------------


def lines(values: list[str]) -> str:
    head = "PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.\n"
    return head + "".join(f"64 bytes from 10.0.0.2: icmp_seq={i} ttl=64 time={v} ms\n" for i, v in enumerate(values, 1))


@pytest.mark.parametrize(("p99", "verdict"), [("0.99", "pass"), ("1.0", "fail"), ("1", "fail"), ("2.0", "fail"), ("5.0", "fail")])
def test_the_mandate(p99: str, verdict: str) -> None:
    recording = read_recording(lines(["0.2"] * 985 + [p99] * 15))
    assert (recording.tool, recording.count, recording.percentile(D(50))) == ("ping", 1000, D("0.2"))
    assert recording.verdict(D("1.0"))[0] == verdict


def test_too_few_samples_and_lost_answers_are_no_pass() -> None:
    assert read_recording(lines(["0.2"] * 99)).verdict(D(1))[0] == "open"
    assert read_recording(lines(["0.2"] * 100)).verdict(D(1))[0] == "pass"
    lost = read_recording(lines(["0.2"] * 980) + "\n1000 packets transmitted, 980 received, 2% packet loss\n")
    assert (lost.lost, lost.verdict(D(1))[0]) == (20, "open")


def test_ping_of_windows_and_duplicates() -> None:
    text = "Pinging 10.0.0.2 with 32 bytes of data:\n" + "Reply from 10.0.0.2: bytes=32 time<1ms TTL=128\n" * 100
    recording = read_recording(text)
    assert (recording.percentile(D(99)), recording.verdict(D(1))[0]) == (D(1), "fail")
    assert read_recording(lines(["0.1"]) + "64 bytes from x: icmp_seq=1 ttl=64 time=9.0 ms (DUP!)\n").count == 1


SOCKPERF = """sockperf: ====> avg-{avg}=30.000 (std-dev=1.500)
sockperf: # dropped messages = 0; # duplicated messages = 0; # out-of-order messages = 0
sockperf: Summary: {name} is 30.000 usec
sockperf: Total 449213 observations; each percentile contains 4492.13 observations
sockperf: ---> percentile 99.900 =  600.500
sockperf: ---> percentile 99.000 =  500.000
sockperf: ---> percentile 50.000 =   29.000
"""


def test_sockperf_halves_unless_told() -> None:
    half = read_recording(SOCKPERF.format(avg="latency", name="Latency"))
    whole = read_recording(SOCKPERF.format(avg="rtt", name="Round trip"))
    assert (half.percentile(D(99)), half.verdict(D(1))[0]) == (D(1), "fail")
    assert (whole.percentile(D(99)), whole.percentile(D("99.9")), whole.jitter) == (D("0.5"), D("0.6005"), D("0.0015"))
    assert (whole.count, whole.verdict(D(1))[0]) == (449213, "pass")


NCCL = """#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
           0             0     float     sum      -1     3.91    0.00    0.00      0     3.88    0.00    0.00      0
           8             2     float     sum      -1    {0}    0.00    0.00      0    36.09    0.00    0.00    N/A
     1048576        262144     float     sum      -1   5000.0   10.00   10.00      0   5000.0   10.00   10.00      0
"""


@pytest.mark.parametrize(("time", "verdict"), [("37.76", "open"), ("1000.0", "fail")])
def test_means_of_nccl_tests_may_fail_and_never_pass(time: str, verdict: str) -> None:
    recording = read_recording(NCCL.format(time))
    assert recording.samples == (D(time) / 1000, D("0.03609"))
    assert recording.verdict(D(1))[0] == verdict


@pytest.mark.parametrize(
    ("text", "unit", "column", "samples"),
    [
        ("seq,rtt_us\n1,500\n2,999\n", "", "", ["0.5", "0.999"]),
        ("0.5\n0.25\n", "ms", "", ["0.5", "0.25"]),
        ("# by hand\nLatency (ns);n\n500000;1\n", "", "", ["0.5"]),
        ("a,b\n1,2e-4\n", "s", "b", ["0.2"]),
        ("1,0.3\n2,0.4\n", "ms", "2", ["0.3", "0.4"]),
    ],
)
def test_csv(text: str, unit: str, column: str, samples: list[str]) -> None:
    assert read_recording(text, unit, column).samples == tuple(D(s) for s in samples)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("0.5\n", "unit"),
        ("a,b\n1,2\n", "which column"),
        ("rtt_ms\nfast\n", "row 1: 'fast' is no time"),
        ("rtt_ms\n-1\n", "no time"),
        ("rtt_ms\nNaN\n", "no time"),
        ("PING x\n--- x ping statistics ---\n10 packets transmitted, 10 received\n", "no percentiles"),
    ],
)
def test_what_holds_no_latency_is_an_error(text: str, says: str) -> None:
    with pytest.raises(LatencyError, match=says):
        read_recording(text)


def test_nearest_rank_is_a_measured_value() -> None:
    values = [D(i) for i in range(1, 1001)]
    assert [nearest_rank(values, D(p)) for p in ("50", "99", "99.9", "100")] == [500, 990, 999, 1000]
    assert nearest_rank([D(7)], D(99)) == 7


def test_latency_command(tmp_path: Path) -> None:
    (tmp_path / "ping.txt").write_text(lines(["0.2"] * 989 + ["1.0"] * 11))
    done = calc("latency", str(tmp_path / "ping.txt"), "--check")
    assert done.return_value == 1
    for text in (
        "samples      1000",
        "p50          0.2 ms",
        "p99          1 ms",
        "fail: p99 1 ms is not under 1 ms",
        "p99_ms: 1,",
    ):
        assert text in done.output, done.output
