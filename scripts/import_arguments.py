#!/usr/bin/env python3
"""Finds the first release that holds each argument of a provider's resources, by reading its source at every tag.

Usage: scripts/import_arguments.py SOURCE GIT_DIR [SCHEMA...]

SOURCE is one of the keys of BASE (`hashicorp/google`, ...), GIT_DIR a clone with its tags: of the provider, or (for
hashicorp/aws) of an index that holds the source of its functions, one file each. SCHEMA files
(`terraform providers schema -json`, NAME-VERSION.json) tell more: one older than BASE what was not there yet, a newer one
whether what the source seems to hold is there, and (hashicorp/azurerm) where what is documented stands. Written to
`provider_catalog/lag/arguments/NAME.csv`, which `scripts/import_lag.py` merges into the shards. Nothing here runs at build,
test or run time.

What counts as proof, and what is left out:
- schemas are read as text: a key of a map of schemas, attributes or blocks is an argument, a call is followed to the
  function of the same package. An argument that no tag since BASE lacks is old and has no row.
- an argument is new in a release only if the resource was there in the release before, and either its name stood nowhere
  in the package then, or the changelog of the release names it with its resource, or the older schema lacks it: a schema
  that moved from one file or helper to another would look new otherwise.
- below an argument that is new in the same release nothing is listed: the parent gates it.
- `written`: the provider never fills the argument in by itself (neither computed nor defaulted), so that one that stands in
  a plan was written. A row without a version says only that, of an argument whose version stands in the curated table.
- documentation (hashicorp/azurerm) proves nothing by itself: the changelog has to name the argument in the same release.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from auditor.versions import Version, parse_version

LAG = Path(__file__).resolve().parent.parent / "provider_catalog" / "lag"
BASE = {"hashicorp/google": "4.0.0", "hashicorp/google-beta": "4.0.0", "hashicorp/aws": "6.0.0", "hashicorp/azurerm": "3.0.0"}
COLUMNS = ("resource_type", "argument", "written", "first_version", "released", "evidence", "confidence")


class Git:
    """One clone: trees of tags, blobs by id through one long-lived process."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.batch = subprocess.Popen(
            ["git", "-C", folder, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, *words: str) -> str:
        return subprocess.run(["git", "-C", self.folder, *words], check=True, capture_output=True, text=True).stdout

    def tags(self, base: str) -> list[tuple[Version, str]]:
        found = []
        for tag in self.run("tag").split():
            version = parse_version(tag)
            if version is not None and version.released and version >= parse_version(base):
                found.append((version, tag))
        return sorted(found)

    def tree(self, tag: str, *folders: str) -> dict[str, str]:
        """Path -> blob id."""
        lines = self.run("ls-tree", "-r", tag, "--", *folders).splitlines()
        return {path: head.split()[2] for head, _, path in (line.partition("\t") for line in lines)}

    def blob(self, name: str) -> str:
        assert self.batch.stdin is not None
        assert self.batch.stdout is not None
        self.batch.stdin.write(name.encode() + b"\n")
        self.batch.stdin.flush()
        head = self.batch.stdout.readline().split()
        if len(head) < 3:
            return ""
        text = self.batch.stdout.read(int(head[2]) + 1)[:-1]
        return text.decode("utf-8", "replace")


# --- Go ------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|`[^`]*`|'(?:[^'\\]|\\.)+'
    |(?P<map>map\[string\]\*?(?:\w+\.)?\w*(?:Schema|Attribute|Block)\{)
    |(?P<key>"[a-z][a-z0-9_]*"\s*:)
    |"(?:[^"\\\n]|\\.)*"
    |(?P<func>^func\s+(?:\(\w*\s*\*?\w+\)\s*)?\w+[\[(])
    |(?P<flag>\b(?:Optional|Required|Computed):\s*true|\bDefault(?:Func)?:)
    |(?P<const>\b(?:\w+\.)?[A-Za-z]\w*:(?=\s))
    |(?P<call>\b[A-Za-z_]\w*\()
    |(?P<open>\{)|(?P<close>\})""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


class Node:
    """Arguments of one schema map, and functions whose maps belong to it."""

    __slots__ = ("calls", "flags", "keys")

    def __init__(self) -> None:
        self.keys: dict[str, Node] = {}
        self.calls: set[str] = set()
        self.flags: set[str] = set()


def constant(name: str) -> str:
    """The argument behind the name of a constant (`names.AttrKMSKeyID`); `?` and the name where it is not of that kind."""
    found = re.fullmatch(r"names\.Attr(\w+)", name)
    if found is None:
        return f"?{name}"
    words = re.sub(r"([A-Z]+s?)([A-Z][a-z])", r"\1_\2", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", found.group(1)))
    return words.lower()


def functions(text: str) -> dict[str, Node]:
    """Function name -> the schema in it."""
    found: dict[str, Node] = {}
    if "Schema{" not in text and "Attribute{" not in text and "Block{" not in text and "chema(" not in text:
        return found
    here = Node()
    stack: list[tuple[str, Node]] = []  # (what the brace opened, the node that was current)
    maps = 0
    for m in TOKEN.finditer(text):
        kind = m.lastgroup
        if kind is None:
            continue
        word = m.group()
        if kind == "func":
            receiver = re.search(r"\(\w*\s*\*?(\w+)\)", word)
            name = (f"{receiver.group(1)}." if receiver else "") + re.split(r"[\s)]", word[:-1])[-1]
            here = found[name] = Node()
            stack = []
            maps = 0
        elif kind == "map":
            stack.append(("map", here))
            maps += 1
        elif kind == "open":
            stack.append(("brace", here))
        elif kind == "close":
            if stack:
                what, before = stack.pop()
                here = before
                maps -= what == "map"
        elif kind == "key":
            if stack and stack[-1][0] == "map":
                name = word[1:].partition('"')[0]
                owner = stack[-1][1]
                here = owner.keys.setdefault(name, Node())
        elif kind == "const":
            if stack and stack[-1][0] == "map":
                here = stack[-1][1].keys.setdefault(constant(word[:-1]), Node())
        elif kind == "flag":
            here.flags.add(word[:3])
        elif kind == "call":
            here.calls.add(word[:-1])
    return {k: n for k, n in found.items() if n.keys or n.calls}


def arguments(
    node: Node, package: dict[str, Node], seen: tuple[str, ...] = (), prefix: str = "", depth: int = 0,
    above: bool = True,
) -> Iterator[tuple[str, bool, bool]]:  # fmt: skip
    """(path, settable, never filled in by the provider, nor what holds it); calls are followed inside the package."""
    if depth > 9:
        return
    merged: dict[str, list[Node]] = {}
    todo, done = [node], set(seen)
    while todo:
        n = todo.pop()
        for key, child in n.keys.items():
            merged.setdefault(key, []).append(child)
        for call in n.calls:
            if call in package and call not in done:
                done.add(call)
                todo.append(package[call])
    for key, nodes in merged.items():
        flags, holds = set(), False
        for n in nodes:
            flags |= n.flags
            holds = holds or bool(n.keys)
            for call in n.calls:
                if call in package and call not in done:
                    flags |= package[call].flags
                    holds = holds or bool(package[call].keys)
        block = holds
        settable = bool(flags & {"Opt", "Req"}) or (block and "Com" not in flags)
        written = above and bool(flags & {"Opt", "Req"}) and not flags & {"Com", "Def"}
        yield prefix + key, settable, written
        if block and settable:
            both = Node()
            for n in nodes:
                both.keys |= n.keys
                both.calls |= n.calls
            yield from arguments(both, package, tuple(done), f"{prefix}{key}.", depth + 1, written)


class Changelog:
    """Version -> its lines."""

    def __init__(self, texts: list[str]) -> None:
        self.lines: dict[Version, list[str]] = {}
        for text in texts:
            held: list[str] = []
            for line in text.splitlines():
                head = re.match(r"##\s+v?(\d+\.\d+\.\d+)", line)
                if head:
                    version = parse_version(head.group(1))
                    held = self.lines.setdefault(version, []) if version is not None else []
                else:
                    held.append(line)

    def names(self, version: Version, kind: str, argument: str) -> bool:
        """Whether a line names the argument beside its resource."""
        leaf = argument.rpartition(".")[2]
        for line in self.lines.get(version, ()):
            named = re.search(rf"[`\s/]{re.escape(kind)}[`\s:]", line)
            if named and re.search(rf"`(?:[\w.]+\.)?{re.escape(leaf)}(?:\.[\w.]+)?`", line):
                return True
        return False


def rows(
    git: Git, source: str, changelog: Changelog, resources: Any, older: dict[str, Any], curated: dict[str, Any]
) -> list[tuple[str, str, bool, Version | None, str]]:
    """`resources(tree)`: type -> (package folder, root functions). Gives (type, path, written, version, evidence).

    Of the curated arguments the last tag tells whether the provider fills them in; their version is None.
    """
    known_blobs: dict[str, dict[str, Node]] = {}
    words: dict[str, set[str]] = {}
    before: dict[str, dict[str, bool]] = {}
    package_words: dict[str, set[str]] = {}
    stamps: dict[str, tuple[str, ...]] = {}
    made: list[tuple[str, str, bool, Version | None, str]] = []
    for version, tag in git.tags(BASE[source]):
        tree, found = resources(git, tag)
        folders: dict[str, list[str]] = {}
        for path in tree:
            folders.setdefault(path.rpartition("/")[0], []).append(path)
        now_words: dict[str, set[str]] = {}
        packages: dict[str, dict[str, Node]] = {}
        changed: set[str] = set()
        for folder in {f for f, _ in found.values()}:
            stamp = tuple(sorted(tree[p] for p in folders.get(folder, ())))
            if stamps.get(folder) == stamp:
                now_words[folder] = package_words[folder]
                continue
            stamps[folder] = stamp
            changed.add(folder)
            package: dict[str, Node] = {}
            seen: set[str] = set()
            for path in folders.get(folder, ()):
                blob = tree[path]
                if blob not in known_blobs:
                    text = git.blob(blob)
                    known_blobs[blob] = functions(text)
                    words[blob] = set(re.findall(r'"([a-z][a-z0-9_]*)"\s*:', text))
                package.update(known_blobs[blob])
                seen |= words[blob]
            packages[folder] = package
            now_words[folder] = seen
        now: dict[str, dict[str, bool]] = {}
        for kind, (folder, roots) in found.items():
            if folder not in changed:
                if kind in before:
                    now[kind] = before[kind]
                continue
            package = packages[folder]
            node = Node()
            node.calls = {r for r in roots if r in package}
            if not node.calls:
                continue
            now[kind] = {p: b for p, settable, b in arguments(node, package) if settable}
            old = before.get(kind)
            if old is None:
                continue
            fresh = sorted(set(now[kind]) - set(old), key=lambda p: p.count("."))
            listed: set[str] = set()
            for path in fresh:
                parts = path.split(".")
                if "?" in path:
                    continue
                if any(".".join(parts[:i]) in listed for i in range(1, len(parts))):
                    listed.add(path)
                    continue
                listed.add(path)
                told = changelog.names(version, kind, path)
                new_word = parts[-1] not in package_words.get(folder, set()) and folder in package_words
                lacking = kind in older and not in_schema(older[kind]["block"], parts)
                if told or new_word or lacking:
                    evidence = "source and changelog" if told else "source"
                    made.append((kind, path, now[kind][path], version, evidence + (" and schema" if lacking else "")))
        for kind, held in before.items():
            now.setdefault(kind, held)
        before = now
        package_words = package_words | now_words
        print(tag, len(found), file=sys.stderr)
    for kind, paths in curated.items():
        for path in paths:
            if before.get(kind, {}).get(path.partition("=")[0]):
                made.append((kind, path, True, None, "source"))
    # Filled in by the first release or by the last: either way what stands in a plan need not have been written.
    return [(k, p, w and before.get(k, {}).get(p, False), v, e) for k, p, w, v, e in made]


def in_schema(block: dict[str, Any], parts: list[str]) -> bool:
    """Whether a schema block holds the path."""
    name, rest = parts[0], parts[1:]
    spec = (block.get("block_types") or {}).get(name)
    if spec is not None:
        return not rest or in_schema(spec.get("block") or {}, rest)
    spec = (block.get("attributes") or {}).get(name)
    if spec is None:
        return False
    return not rest or "nested_type" not in spec or in_schema(spec["nested_type"], rest)


def google(git: Git, tag: str) -> tuple[dict[str, str], dict[str, tuple[str, list[str]]]]:
    tree = {
        p: b for p, b in git.tree(tag, "google", "google-beta").items()
        if p.endswith(".go") and not p.endswith(("_test.go", "_sweeper.go")) and "/data_source" not in p
    }  # fmt: skip
    found = {}
    for path in tree:
        folder, _, name = path.rpartition("/")
        if name.startswith("resource_") and "generated_meta" not in name:
            squeezed = name[:-3].removeprefix("resource_")
            found[f"google_{squeezed}"] = (folder, path)
    made = {}
    for kind, (folder, path) in found.items():
        made[kind] = (folder, roots_of(git, tree[path], "esource" + kind.partition("_")[2].replace("_", "")))
    return tree, made


ROOTS: dict[tuple[str, str], list[str]] = {}


def roots_of(git: Git, blob: str, name: str) -> list[str]:
    """The functions of a file that make a resource of that name (case and underscores apart)."""
    key = (blob, name)
    if key not in ROOTS:
        text = git.blob(blob)
        makers = re.findall(r"^func\s+(\w+)\(\)\s+\*schema\.Resource", text, re.MULTILINE)
        ROOTS[key] = [f for f in makers if f.lower().endswith(name)]
    return ROOTS[key]


def aws(git: Git, tag: str) -> tuple[dict[str, str], dict[str, tuple[str, list[str]]]]:
    every = git.tree(tag, "index")
    services = {p: b for p, b in every.items() if p.startswith("index/internal/service/") and p.endswith(".goindex")}
    tree = {p: b for p, b in services.items() if "dataSource" not in p}
    makers: dict[tuple[str, str], str] = {}
    for path, blob in tree.items():
        folder, _, name = path.rpartition("/")
        if name.startswith(("func.resource", "func.Resource")):
            key = (blob, "create")
            if key not in ROOTS:
                found = re.search(r"Create\w*:\s*(\w+)", git.blob(blob))
                ROOTS[key] = [found.group(1)] if found else []
            for created in ROOTS[key]:
                makers[folder, created] = name.split(".")[1]
    made = {}
    for path, blob in every.items():
        if not path.startswith("index/resources/"):
            continue
        key = (blob, "json")
        if key not in ROOTS:
            record = json.loads(git.blob(blob))
            folder = "index/" + record["namespace"].partition("terraform-provider-aws/")[2]
            ROOTS[key] = [folder, record.get("schema_index", ""), record.get("create_index", ""), record["sdk_type"]]
        folder, schema, create, _ = ROOTS[key]
        maker = makers.get((folder, create.split(".")[1] if "." in create else ""))
        kind = path.rpartition("/")[2][:-5]
        if maker:
            made[kind] = (folder, [maker])
        elif f"{folder}/{schema}" in tree:
            made[kind] = (folder, [".".join(schema.split(".")[1:3])])
    return tree, made


# --- documentation -------------------------------------------------------------------------------------


def documented(text: str) -> set[str]:
    """Arguments in a page: `name`, or `block.name` under "A `block` block supports"."""
    part = text.partition("## Arguments Reference")[2] or text.partition("## Argument Reference")[2]
    part = re.split(r"^## (?:Attributes? Reference|Timeouts|Import)", part, maxsplit=1, flags=re.MULTILINE)[0]
    found: set[str] = set()
    owners = [""]
    for line in part.splitlines():
        head = re.match(r"(?:An?|The|Each|One or more)\s+`[\w`\s,.]+`.*(?:supports?|contains?|exports?|consists?)", line)
        if head:
            owners = re.findall(r"`(\w+)`", line.partition(" support")[0]) or [""]
            continue
        item = re.match(r"\s*[*-]\s+`(\w+)`\s+-", line)
        if item:
            found |= {f"{o}.{item.group(1)}" if o else item.group(1) for o in owners}
    return found


def azure_rows(git: Git, changelog: Changelog) -> Iterator[tuple[str, str, bool, Version, str]]:
    held: dict[str, set[str]] = {}
    cache: dict[str, set[str]] = {}
    for version, tag in git.tags(BASE["hashicorp/azurerm"]):
        for path, blob in git.tree(tag, "website/docs/r").items():
            kind = "azurerm_" + path.rpartition("/")[2].partition(".")[0]
            if blob not in cache:
                cache[blob] = documented(git.blob(blob))
            now = cache[blob]
            old = held.get(kind)
            held[kind] = now
            if old is None or old is now:
                continue
            for argument in sorted(now - old):
                if changelog.names(version, kind, argument):
                    yield kind, argument, False, version, "documentation and changelog"
        print(tag, file=sys.stderr)


def filled_in(git: Git, tag: str) -> set[str]:
    """Names of arguments that some resource of the provider fills in, or of which that cannot be read."""
    found: set[str] = set()

    def walk(node: Node) -> None:
        for key, child in node.keys.items():
            if child.flags & {"Com", "Def"} or not child.flags & {"Opt", "Req"}:
                found.add(key)
            walk(child)

    for path, blob in git.tree(tag, "internal/services").items():
        if path.endswith(".go") and not path.endswith("_test.go") and "data_source" not in path:
            for node in functions(git.blob(blob)).values():
                walk(node)
    return found


def located(kind: str, argument: str, schema: dict[str, Any]) -> tuple[str, bool] | None:
    """The dotted path of a documented argument: the one of that name (below that block) that the schema can set."""
    block = (schema.get(kind) or {}).get("block")
    if not block:
        return None
    paths: list[tuple[str, bool]] = []

    def walk(b: dict[str, Any], prefix: str, depth: int = 0) -> None:
        if depth > 9:
            return
        for name, spec in (b.get("attributes") or {}).items():
            if spec.get("optional") or spec.get("required"):
                paths.append((prefix + name, False))
        for name, spec in (b.get("block_types") or {}).items():
            paths.append((prefix + name, True))
            walk(spec.get("block") or {}, f"{prefix}{name}.", depth + 1)

    walk(block, "")
    owner, _, leaf = argument.rpartition(".")
    hits = [(p, b) for p, b in paths if p.rpartition(".")[2] == leaf]
    if owner:
        hits = [(p, b) for p, b in hits if p.rpartition(".")[0].rpartition(".")[2] == owner]
    if not owner:
        hits = [h for h in hits if "." not in h[0]]
    return hits[0] if len(hits) == 1 else None


def schema_of(path: Path, source: str) -> tuple[Version, dict[str, Any]]:
    """(version of the file's name, resource schemas of the provider)."""
    version = parse_version(path.name.removesuffix(".json").rpartition("-")[2])
    assert version is not None
    held = json.loads(path.read_text(encoding="utf-8"))["provider_schemas"]
    return version, next(s["resource_schemas"] for k, s in held.items() if k.endswith(source.partition("/")[2]))


def main() -> None:
    source, folder = sys.argv[1], sys.argv[2]
    git = Git(folder)
    shard = json.loads((LAG / f"{source.replace('/', '__')}.json").read_text(encoding="utf-8"))
    newest = git.tags(BASE[source])[-1][1]
    names = [p for p in git.tree(newest) if re.fullmatch(r"CHANGELOG[-_\w]*\.md", p)]
    changelog = Changelog([git.blob(git.tree(newest)[p]) for p in names])
    schemas = dict(schema_of(Path(p), source) for p in sys.argv[3:])
    newer = {v: s for v, s in schemas.items() if v >= parse_version(BASE[source])}
    if source == "hashicorp/azurerm":
        held = newer[max(newer)]
        found: list[tuple[str, str, bool, Version | None, str]] = []
        filled = filled_in(git, newest)
        for kind, argument, _, version, evidence in azure_rows(git, changelog):
            place = located(kind, argument, held)
            if place is not None:
                found.append((kind, place[0], place[1] and filled.isdisjoint(place[0].split(".")), version, evidence))
        for kind, paths in shard["attributes"].items():
            for path in paths:
                place = located(kind, path, held)
                if place is not None and place[1] and filled.isdisjoint(path.split(".")):
                    found.append((kind, path, True, None, "source"))
    else:
        older = given[max(given)] if (given := {v: s for v, s in schemas.items() if v not in newer}) else {}
        found = rows(git, source, changelog, aws if source == "hashicorp/aws" else google, older, shard["attributes"])
    support = shard["support"]["resource"]
    dates = {parse_version(v): (v, d[0]) for v, d in shard["releases"].items()}
    first: dict[tuple[str, str], tuple[bool, Version | None, str]] = {}
    for kind, path, block, version, evidence in found:
        shown = [s[kind]["block"] for v, s in newer.items() if kind in s and version is not None and version <= v]
        before = [s[kind]["block"] for v, s in schemas.items() if kind in s and version is not None and version > v]
        if any(not in_schema(b, path.split(".")) for b in shown) or any(in_schema(b, path.split(".")) for b in before):
            continue
        if version is None or (kind in support and version in dates and parse_version(support[kind][0]) < version):
            first.setdefault((kind, path), (block, version, evidence))
    out = LAG / "arguments" / f"{source.replace('/', '__')}.csv"
    out.parent.mkdir(exist_ok=True)
    with out.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(COLUMNS)
        for (kind, path), (block, version, evidence) in sorted(first.items()):
            text, day = dates[version] if version is not None else ("", "")
            writer.writerow([kind, path, "yes" if block else "", text, day, evidence, "high"])
    print(len(first), "arguments", file=sys.stderr)


if __name__ == "__main__":
    main()
