"""What a sweep answers: tables, formats, SQL, exit codes, change between runs, SARIF; and what never gets into any of it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="the extra `sweep` is not installed")
pytest.importorskip("pyarrow", reason="the extra `sweep` is not installed")

from inprocess import AS_OF, PLANS, RECORDED, STATES, facts, run
from sweeping import ask, settings, swept
from test_redaction import MARK, plant

from auditor.errors import InputError
from auditor.model import Report
from auditor.sweep.answers import Answers, answers
from auditor.sweep.query import Answerer
from auditor.sweep.render import FORMATS, render
from auditor.sweep.sarif import capped
from auditor.sweep.schema_page import page

DOCS = Path(__file__).parent.parent / "docs"
FIRST, SECOND = "2026-11-20T00-00-00Z", "2026-11-21T00-00-00Z"


def put(estate: Path, **cases: str) -> Path:
    """Stacks of an estate, each a recorded case."""
    for stack, case in cases.items():
        folder = estate / stack.replace("__", "/")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(PLANS / case / "plan.json", folder)
        if (PLANS / case / ".terraform.lock.hcl").exists():
            shutil.copy(PLANS / case / ".terraform.lock.hcl", folder)
    return estate


def told(store: Path, which: str = FIRST) -> Answers:
    answerer = Answerer(store)
    try:
        return answers(answerer, which, facts()[0].shard)
    finally:
        answerer.close()


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("estate")
    stacks = {"ml__train": "b-gpu-asg-no-efa", "ml__prod": "i-lifecycle", "web__prod": "a-eu-alias", "web__old": "n-old-provider"}
    put(top / "e", **stacks, data__gcp="f-gcp", data__open="g-unknown-sensitive")
    (top / "e" / "web" / "cut.json").write_text("{")
    swept(top / "store", top / "e")
    return top


def test_rules_count_plans_and_findings_and_name_the_worst(estate: Path) -> None:
    a = told(estate / "store")
    rule = next(r for r in a.rules if r.rule == "SOV003")
    assert (rule.level, rule.plans, rule.findings, rule.stack) == ("error", 1, 1, "ml/prod")
    assert "8 GPUs" in rule.example
    assert [r.level for r in a.rules] == sorted((r.level for r in a.rules), key=("error", "warning", "note").index)
    counted = ask(estate / "store", "SELECT count(*) FROM findings WHERE state = 'active' AND kind = 'fail'")
    assert [(sum(r.findings for r in a.rules),)] == counted
    biggest = next(r for r in a.rules if r.rule == "NET002")
    assert "128 GPUs" in biggest.example  # the largest job speaks for the rule


def test_jurisdictions_count_resources_data_and_gpus(estate: Path) -> None:
    a = told(estate / "store")
    by = {j.country: j for j in a.jurisdictions}
    assert by["DE"].gpus >= 128
    assert by["DE"].resources >= by["DE"].data > 0
    assert by["US"].outside > 0
    assert by["DE"].outside == 0
    assert by["?"].resources > 0  # undecided is told, not left out


def test_providers_tell_age_and_what_they_miss(estate: Path) -> None:
    old, *_ = [p for p in told(estate / "store").providers if p.version == "4.15.1"]
    assert (old.source, old.plans, old.released) == ("hashicorp/aws", 1, "2022-05-20")
    shard = facts()[0].shard("hashicorp/aws")
    assert shard is not None
    assert old.newest == str(shard.newest)
    assert old.missed is not None
    assert old.missed > 500
    assert old.age_days is not None
    assert old.age_days > 4 * 365


def test_teams_and_unreadable_plans(estate: Path) -> None:
    a = told(estate / "store")
    by = {t.team: t for t in a.teams}
    assert {t: (x.plans, x.unreadable) for t, x in by.items()} == {"ml": (2, 0), "web": (3, 1), "data": (2, 0)}
    assert [u.plan.rpartition("/")[2] for u in a.unread] == ["cut.json"]
    assert (a.plans, a.read) == (7, 6)


def test_opens_name_the_fix_that_clears_most(estate: Path) -> None:
    a = told(estate / "store")
    assert [c.findings for c in a.causes] == sorted((c.findings for c in a.causes), reverse=True)
    assert sum(c.findings for c in a.causes) == a.opens
    for c in a.causes:
        assert 0 < c.clears <= c.findings
        assert c.fix
    assert sum(f.findings for f in a.fixes) == a.opens
    assumed = next(f for f in a.fixes if "--assume" in f.fix)
    assert assumed.fix == "pass --assume aws.region=REGION"
    sql = "SELECT count(*) FROM findings WHERE kind = 'open' AND state = 'active' AND contains(remediation, 'aws.region=')"
    assert [(assumed.findings,)] == ask(estate / "store", sql)


def test_change_since_the_last_run(tmp_path: Path) -> None:
    top = put(tmp_path / "e", a="a-eu-alias", b="m-errored", gone="h-drift")
    swept(tmp_path / "s", top, run=FIRST)
    assert told(tmp_path / "s").change is None
    shutil.rmtree(top / "gone")
    put(top, b="a-eu-alias", new="h-drift")
    (top / "a" / "plan.json").write_text("{")  # what cannot be read is neither new nor fixed
    swept(tmp_path / "s", top, run=SECOND)
    change = told(tmp_path / "s", SECOND).change
    assert change is not None
    assert (change.since, change.appeared, change.gone, change.other_settings) == (FIRST, 1, 1, False)
    sql = "SELECT DISTINCT fingerprint, kind FROM findings WHERE run = '{}' AND stack = 'b' AND state = 'active'"
    before, after = (set(ask(tmp_path / "s", sql.format(r))) for r in (FIRST, SECOND))
    assert (change.new, change.fixed) == (len(after - before), len(before - after))
    assert change.new > 0
    assert len(told(tmp_path / "s", SECOND).trend) == 2


def test_expired_waivers_are_told(tmp_path: Path) -> None:
    top = put(tmp_path / "e", a="a-eu-alias")
    policy = json.dumps(
        {
            "version": 1, "allow": ["EU"],
            "waivers": [{"rule": "SOV001", "address": "*", "reason": "is moved", "expires": "2026-11-30", "owner": "o"}],
        }
    )  # fmt: skip
    swept(tmp_path / "s", top, given=settings(policy=policy), run=FIRST)
    assert ask(tmp_path / "s", "SELECT DISTINCT waiver_expires FROM findings WHERE state = 'waived'") == [("2026-11-30",)]
    later = settings(policy=policy, as_of="2026-12-01")
    swept(tmp_path / "s", top, given=later, run=SECOND)
    change = told(tmp_path / "s", SECOND).change
    assert change is not None
    assert change.other_settings
    assert len(change.expired) == 1
    assert "expired 2026-11-30" in change.expired[0]
    assert change.new > 0


def test_a_team_by_tag(tmp_path: Path) -> None:
    top = put(tmp_path / "e", a="a-eu-alias", b="m-errored")
    plan = json.loads((top / "a" / "plan.json").read_text())
    for r in plan["resource_changes"]:
        r["change"]["after"]["tags_all"] = {"team": "storage"}
    (top / "a" / "plan.json").write_text(json.dumps(plan))
    given = settings(tag="team")
    swept(tmp_path / "s", top, given=given, team="tag:team")
    assert dict(ask(tmp_path / "s", "SELECT stack, team FROM plans")) == {"a": "storage", "b": ""}
    for r in plan["resource_changes"]:
        r["change"]["after_sensitive"] = {"tags_all": True}
    (top / "a" / "plan.json").write_text(json.dumps(plan))
    swept(tmp_path / "s", top, given=given, team="tag:team", run=SECOND)
    assert ask(tmp_path / "s", f"SELECT team FROM plans WHERE run = '{SECOND}'") == [("",), ("",)]


# --- formats


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_what_matters(estate: Path, form: str) -> None:
    text = render(form, told(estate / "store"), facts()[0].coordinates())
    for said in ("SOV003", "cut.json", "ml/prod", "hashicorp/aws"):
        assert said in re.sub(r"\\/|&#x2F;", "/", text), said
    if form == "json":
        held = json.loads(text)
        assert (held["schema"], held["plans"], held["read"]) == ("auditor-sweep/1", 7, 6)


def test_the_page_is_self_contained(estate: Path) -> None:
    text = render("html", told(estate / "store"), facts()[0].coordinates())
    assert "default-src 'none'" in text
    assert '<svg class="map"' in text
    assert not re.findall(r"<script|<link|<img|@import|\ssrc=|url\(|<iframe|\sstyle=", text)
    from html.parser import HTMLParser

    class Nesting(HTMLParser):
        open: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "br", "rect", "path", "circle"):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            return

    parser = Nesting()
    parser.feed(text)
    assert parser.open == []


def test_hostile_names_do_no_harm(tmp_path: Path) -> None:
    top = tmp_path / "e"
    evil = "x<img src=q>|`[a](b)\x1b[31m"
    put(top / evil, a="a-eu-alias")
    (top / evil / "cut.json").write_text("{")
    swept(tmp_path / "s", top)
    for form in FORMATS:
        text = render(form, told(tmp_path / "s"), facts()[0].coordinates())
        assert "\x1b" not in text
        if form in ("html", "markdown"):
            assert "<img" not in text


# --- SQL


def test_the_schema_in_the_docs_is_the_schema(tmp_path: Path) -> None:
    documented = (DOCS / "sweep.md").read_text(encoding="utf-8")
    begin, end = "<!-- schema:begin -->\n", "<!-- schema:end -->"
    assert documented[documented.index(begin) + len(begin) : documented.index(end)] == page()
    assert run("query", "--schema").out == page()


def test_views_have_the_documented_columns(estate: Path) -> None:
    answerer = Answerer(estate / "store")
    for name, body in re.findall(r"### `(\w+)`\n\n\| column.*?\n\|---.*?\n((?:\|.*\n)+)", page()):
        columns = [line.split("`")[1] for line in body.splitlines()]
        names = answerer.query(f"SELECT * FROM {name} LIMIT 0").names
        assert list(names[-len(columns) :]) == columns
        assert list(names[: -len(columns)]) == ([] if name in ("runs", "plans") else ["run", "plan", "stack", "team"])
        for column in (c for c in columns if "max" not in c and "min" not in c):
            assert answerer.query(f'SELECT count(*) FROM {name} WHERE "{column}" IS NULL').rows == [(0,)], column
    answerer.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{secret}')", "SELECT * FROM '{secret}'", "COPY plans TO '{out}'",
        "COPY plans TO '{store}/x.csv'",
        "ATTACH '{out}'", "INSTALL httpfs", "SET enable_external_access = true", "DROP VIEW plans", "SELECT 1; SELECT 2", "",
        "SELECT * FROM read_csv('http://127.0.0.1:1/x')", "SELECT getenv('HOME')", "SELEKT", "CREATE TABLE x AS SELECT 1",
    ],
)  # fmt: skip
def test_a_query_reads_the_store_and_nothing_else(estate: Path, tmp_path: Path, sql: str) -> None:
    (tmp_path / "secret.txt").write_text("CANARY")
    before = sorted(p.name for p in (estate / "store").rglob("*"))
    asked = sql.format(secret=tmp_path / "secret.txt", out=tmp_path / "out", store=estate / "store")
    done = run("query", "--store", str(estate / "store"), asked)
    assert done.code == 2, done.out
    assert "CANARY" not in done.out
    assert not (tmp_path / "out").exists()
    assert sorted(p.name for p in (estate / "store").rglob("*")) == before


def test_query_formats(estate: Path) -> None:
    sql = "SELECT stack, status FROM plans WHERE status = 'unreadable'"
    forms = ("text", "json", "csv", "markdown")
    said = {f: run("query", "--store", str(estate / "store"), "--format", f, sql).out for f in forms}
    assert said["text"].split() == ["stack", "status", "web/cut", "unreadable"]
    assert json.loads(said["json"]) == [{"stack": "web/cut", "status": "unreadable"}]
    assert said["csv"] == "stack,status\nweb/cut,unreadable\n"
    assert said["markdown"].count("|") == 9
    formula = run("query", "--store", str(estate / "store"), "--format", "csv", "SELECT '=1+1' AS a")
    assert formula.out == "a\n'=1+1\n"


def test_no_store_and_another_version(tmp_path: Path) -> None:
    assert run("query", "--store", str(tmp_path), "SELECT 1").code == 2
    (tmp_path / "store.json").write_text('{"schema": "auditor-sweep/99"}')
    done = run("query", "--store", str(tmp_path), "SELECT 1")
    assert (done.code, "auditor-sweep/99" in done.err) == (2, True)
    with pytest.raises(InputError, match="99"):
        swept(tmp_path, PLANS / "a-eu-alias")


# --- the command


def command(folder: Path, *args: str) -> tuple[int, str, str]:
    (folder / "policy.yaml").write_text("version: 1\nallow: [EU]\n")
    done = run("sweep", "--policy", "policy.yaml", "--as-of", AS_OF, "--jobs", "1", "--rules", "SOV", *args, cwd=folder)
    return done.code, done.out, done.err


def test_exit_codes(tmp_path: Path) -> None:
    good = {"resource_changes": [], "format_version": "1.2", "terraform_version": "1.9.0"}
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean" / "plan.json").write_text(json.dumps(good))
    put(tmp_path / "dirty", a="a-eu-alias")
    put(tmp_path / "open", a="k-k8s-nebius")
    (tmp_path / "cut.json").write_text("{")
    codes = {
        ("clean",): 0, ("clean", "--strict"): 0, ("dirty",): 1, ("dirty", "--exit-zero"): 0, ("clean", "cut.json"): 1,
        ("clean", "cut.json", "--exit-zero"): 1, ("clean", "cut.json", "--strict"): 2, ("dirty", "cut.json", "--strict"): 2,
        ("cut.json",): 2, ("nowhere",): 2, ("clean", "--team", "x"): 2, ("clean", "--format", "sarif"): 2,
        ("clean", "--engine", "dask"): 2, ("clean", "--rules", "NOPE"): 2,
    }  # fmt: skip
    assert {args: command(tmp_path, *args)[0] for args in codes} == codes


def test_the_command_writes_reports_and_says_what_it_did(tmp_path: Path) -> None:
    put(tmp_path / "e", ml__a="a-eu-alias")
    code, out, err = command(tmp_path, "e", "--store", "s", "--format", "html=r.html", "--format", "text", "--sarif-dir", "sarif")
    assert code == 1
    assert out.startswith("1 plan, 1 read\n")
    assert "ml/a: " in out
    assert out.splitlines()[-1].startswith("FAIL  1 plan failing, 0 unreadable")
    assert "1 audited, 0 audited before" in err
    assert (tmp_path / "r.html").read_text().startswith("<!DOCTYPE html>")
    index = json.loads((tmp_path / "sarif" / "index.json").read_text())
    file, key = index["ml/a"]
    log = json.loads(gzip.decompress((tmp_path / "sarif" / file).read_bytes()))
    assert log["runs"][0]["automationDetails"]["id"] == "auditor/ml/a/"
    assert log["runs"][0]["results"]
    assert ask(tmp_path / "s", "SELECT key FROM plans") == [(key,)]
    code, _, err = command(tmp_path, "e", "--store", "s", "--sarif-dir", "sarif")
    assert "0 audited, 1 audited before" in err  # the SARIF file is there, and of this audit
    (tmp_path / "sarif" / file).unlink()
    code, _, err = command(tmp_path, "e", "--store", "s", "--sarif-dir", "sarif")
    assert "1 audited" in err
    assert (tmp_path / "sarif" / file).is_file()


def test_sarif_is_held_under_the_cap() -> None:
    from inprocess import judge

    report: Report = judge((PLANS / "a-eu-alias" / "plan.json").read_bytes())
    whole = capped(report, "s")
    assert whole == capped(report, "s")
    small = capped(report, "s", len(whole) - 1)
    assert len(small) < len(whole)
    logs = [json.loads(gzip.decompress(x))["runs"][0] for x in (whole, small)]
    assert 0 < len(logs[1]["results"]) < len(logs[0]["results"])
    assert logs[1]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith("SARIF holds the")


# --- what stays out


def test_nothing_sensitive_gets_into_the_store(tmp_path: Path) -> None:
    """The canaries of test_redaction over every recorded plan and state, into store, reports and SARIF."""
    for n, path in enumerate([*RECORDED, *STATES]):
        plan = json.loads(path.read_bytes())
        plant(plan)
        for r in plan.get("resource_changes", ()):  # a tag that names the team, marked
            if isinstance(r["change"].get("after"), dict):
                r["change"]["after"]["tags"] = {"team": f"{MARK}-team"}
                marks = r["change"].get("after_sensitive")
                marks = marks if isinstance(marks, dict) else {}
                r["change"]["after_sensitive"] = marks | {"tags": {"team": True}, "tags_all": True}
                r["change"]["after"].pop("tags_all", None)
        folder = tmp_path / "e" / f"{n:03}"
        folder.mkdir(parents=True)
        (folder / "plan.json").write_text(json.dumps(plan))
    swept(tmp_path / "s", tmp_path / "e", given=settings(tag="team", sarif=True), team="tag:team", sarif_dir=tmp_path / "sarif")
    assert ask(tmp_path / "s", "SELECT count(*) FROM plans WHERE status = 'read'") == [(len([*RECORDED, *STATES]),)]
    for name in ("runs", "plans", "audits", "findings", "locations", "jobs", "providers"):
        text = repr(ask(tmp_path / "s", f"SELECT * FROM {name}"))
        assert MARK not in text, text[max(0, text.find(MARK) - 200) : text.find(MARK) + 50]
    for file in (tmp_path / "sarif").glob("*.gz"):
        assert MARK.encode() not in gzip.decompress(file.read_bytes())
    for form in FORMATS:
        assert MARK not in render(form, told(tmp_path / "s"), facts()[0].coordinates())
    for file in (tmp_path / "s").rglob("*"):
        assert file.is_dir() or MARK.encode() not in file.read_bytes()
