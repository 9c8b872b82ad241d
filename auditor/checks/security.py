"""Keys and links between clouds, plain stores (SEC001-SEC003), the fragmentation summary, the manifest's age (META003)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from auditor.checks.economics_context import EconomicsContext
from auditor.facts import Trace
from auditor.model import Level, Location, Outcome, Rule
from auditor.workload import add_months

_CLOUD_CLASSES: Final = ("hyperscaler", "neocloud", "marketplace", "inference_api")


def clouds(c: EconomicsContext) -> list[str]:
    """Clouds that carry planned resources; managed clusters and premises of one's own are none."""
    return sorted(cloud for cloud, kind in c.classes.items() if cloud and kind in _CLOUD_CLASSES)


def security_outcomes(c: EconomicsContext, rules: Mapping[str, Rule], regulated: bool) -> Iterator[Outcome]:
    """SEC001-SEC003 of the selected rules; one outcome for each resource block and attribute."""
    if "SEC001" in rules:
        yield from _keys(c)
    if "SEC002" in rules:
        yield from _links(c, regulated)
    if "SEC003" in rules and regulated:
        yield from _stores(c)


def _keys(c: EconomicsContext) -> Iterator[Outcome]:
    several = clouds(c)
    level: Level | None = None if len(several) > 1 else "note"
    across = f"; the plan spans {', '.join(several)}" if len(several) > 1 else ""
    for t in c.traced("key", "provider_key"):
        if t.trait.name == "provider_key":
            what, path = f"the provider block of {t.address} is given the static key {t.path}", t.path
        else:
            what, path = f"{t.address} creates a long-lived key ({t.type})", ""
        yield Outcome(
            "SEC001", "fail" if t.sure else "open", t.address, path, t.type, "identity federation", f"{what}{across}.",
            f"Use {t.trait.remark}.", level=level, cause="" if t.sure else "known only after apply",
        )  # fmt: skip


def _links(c: EconomicsContext, regulated: bool) -> Iterator[Outcome]:
    shielded = {t.trait.cloud for t in c.traced("link_encryption") if t.sure}
    for t in c.traced("link"):
        if t.trait.cloud in shielded:
            continue
        message = f"{t.address} is a link out of {t.trait.cloud}, with neither MACsec nor a VPN over it in this plan."
        yield _note("SEC002", t, message, "MACsec or VPN")
    if regulated:
        for t in c.traced("training_plain"):
            message = f"{t.address} trains regulated data on several nodes without encryption between its containers."
            yield _note("SEC002", t, message, "encryption between containers")


def _stores(c: EconomicsContext) -> Iterator[Outcome]:
    for t in c.traced("store_plain"):
        message = f"{t.address}: {t.path} leaves regulated data without encryption or TLS. Use checkov or trivy for depth."
        yield _note("SEC003", t, message, t.trait.remark)


def _note(rule: str, t: Trace, message: str, expected: str) -> Outcome:
    if t.sure:
        return Outcome(rule, "fail", t.address, t.path, "off", expected, message, f"Use {t.trait.remark}.")
    message = f"{t.address}: whether {t.path} gives {expected} is known only after apply."
    return Outcome(
        rule, "open", t.address, t.path, "known after apply", expected, message, f"Set {t.path} literally.",
        cause="known only after apply", level="note",
    )  # fmt: skip


def fragmentation(c: EconomicsContext, locations: Sequence[Location]) -> str:
    """RES001: how many clouds, jurisdictions, regions, single points and kinds of key; "" for no cloud at all."""
    several = clouds(c)
    if not several:
        return ""
    homes = [loc for loc in locations if loc.role == "home" and not loc.sensitive]
    places = {(p.cloud, p.region): p.country for loc in homes for p in loc.places if not loc.candidates}
    countries = sorted({country for country in places.values() if country not in ("", "*")})
    single = sorted(cloud for cloud in several if sum(1 for home, _ in places if home == cloud) == 1)
    keys = sorted({t.type for t in c.traced("key", "provider_key")})
    return (
        f"{len(several)} {_plural('cloud', several)} ({', '.join(several)}), {len(countries)} "
        f"{_plural('jurisdiction', countries)} ({', '.join(countries) or 'none decided'}), {len(places)} "
        f"{_plural('region', list(places))}; single region: {', '.join(single) or 'none'}; "
        f"kinds of long-lived key: {', '.join(keys) or 'none'}"
    )


def _plural(word: str, items: Sequence[object]) -> str:
    return word if len(items) == 1 else f"{word}s"


def reviewed_outcomes(c: EconomicsContext) -> Iterator[Outcome]:
    """META003: a manifest that nobody has looked at for more than six months."""
    when = c.declared.day("reviewed_on") if c.declared is not None else None
    if when is not None and add_months(when, 6) < c.as_of:
        yield Outcome(
            "META003", "fail", path="workload.reviewed_on", observed=str(when), expected="reviewed within 6 months",
            message=f"the workload manifest was last reviewed on {when}, more than 6 months before {c.as_of}.",
        )  # fmt: skip
