"""The modules of a Terraform root: every file of every folder, overrides merged, calls followed.

Local modules are found by their path, downloaded ones through the manifest of `terraform init` (or of a binary plan).
A module that is not at hand is kept as missing with the reason: what stands in it stays unknown.
"""

from __future__ import annotations

import posixpath
from typing import Any, Final

from auditor.errors import InputError
from auditor.load.hcl.folders import LOCK, Folders
from auditor.load.hcl.json_syntax import read_json
from auditor.load.hcl.native import read_native
from auditor.syntax import Attribute, Block, Body, File, GetAttr, Literal, Module, Name, Source, SourceTree

MAX_NESTED: Final = 32
MAX_MODULES: Final = 5_000


def read_tree(folders: Folders, keep_going: bool = False) -> SourceTree:
    """Every module below the root. With keep_going a file that cannot be read is named in `unread` instead of raising."""
    return _Reader(folders, keep_going).tree()


def declared_twice(tree: SourceTree) -> list[str]:
    """A sentence for every address that a module declares twice."""
    found: dict[str, None] = {}
    for module in tree.root.walk():
        for address in sorted(module.duplicates):
            block = module.resources.get(address) or module.calls.get(address.removeprefix("module."))
            where = block.source.where(block.start) if block is not None else module.files[0].source.path
            found[f"{where}: {address} is declared twice in one module"] = None
    return list(found)


def read_file(path: str, name: str, data: bytes) -> File:
    source = Source(path, data)
    return read_json(source) if name.endswith(".json") else read_native(source)


class _Reader:
    def __init__(self, folders: Folders, keep_going: bool) -> None:
        self.folders = folders
        self.keep_going = keep_going
        self.unread: list[str] = []
        self.hidden: list[str] = []
        self.parsed: dict[str, list[tuple[str, File]] | None] = {}
        self.count = 0

    def tree(self) -> SourceTree:
        root = self._module("", "", "", True, 0)
        if root is None:
            raise InputError(f"{self.folders.shown('', '')}: no Terraform files there")
        lock = getattr(self.folders, "lock", None) or self.folders.extra("", LOCK)
        return SourceTree(
            root, tuple(dict.fromkeys(self.unread)), lock, self.folders.shown("", LOCK), self.folders, tuple(self.hidden)
        )  # fmt: skip

    def _files(self, folder: str) -> list[tuple[str, File]] | None:
        if folder not in self.parsed:
            found = self.folders.files(folder)
            self.parsed[folder] = None if found is None else self._parse(folder, found)
        return self.parsed[folder]

    def _parse(self, folder: str, found: Any) -> list[tuple[str, File]]:
        names = sorted(found)
        # OpenTofu reads x.tofu instead of x.tf beside it.
        hidden = [n for n in names if ".tf" in n and n.replace(".tf", ".tofu") in found]
        self.hidden += [self.folders.shown(folder, n) for n in hidden if _says_more(n, found[n])]
        names = [n for n in names if n not in hidden]
        made: list[tuple[str, File]] = []
        for name in names:
            path = self.folders.shown(folder, name)
            try:
                file = read_file(path, name, found[name])
                for first in file.body.attributes.values():
                    raise InputError(
                        f"{first.source.where(first.start)}: an attribute ({first.name}) stands outside any block",
                        "A file of variable values is named *.tfvars.",
                    )
                made.append((name, file))
            except InputError as e:
                if not self.keep_going:
                    raise
                self.unread.append(e.message)
        return made

    def _module(self, path: str, key: str, folder: str, own: bool, depth: int) -> Module | None:
        files = self._files(folder)
        if files is None:
            return None
        self.count += 1
        if self.count > MAX_MODULES:
            raise InputError(f"more than {MAX_MODULES} module calls below {self.folders.shown('', '')}")
        module = Module(path, folder, own, files=[f for _, f in files])
        for name, file in files:
            if not _is_override(name):
                _collect(module, file)
        for name, file in files:
            if _is_override(name):
                _override(module, file)
        for name, call in module.calls.items():
            self._call(module, key, name, call, depth)
        return module

    def _call(self, module: Module, key: str, name: str, call: Block, depth: int) -> None:
        source = literal(call.body.attributes.get("source"))
        child_key = f"{key}.{name}" if key else name
        child_path = f"{module.path}.module.{name}" if module.path else f"module.{name}"
        local = isinstance(source, str) and source.startswith(("./", "../", ".\\", "..\\"))
        folder: str | None
        if local:
            folder = posixpath.normpath(posixpath.join(module.folder, source.replace("\\", "/")))
            folder = "" if folder == "." else folder
        else:
            folder = self.folders.module(child_key)
        module.children[name] = None
        if depth >= MAX_NESTED:
            where = call.source.where(call.start)
            raise InputError(f"{where}: modules nested more than {MAX_NESTED} deep", "Does a module call itself?")
        if folder is None:
            module.missing[name] = "it is not downloaded (run terraform init)"
            return
        child = self._module(child_path, child_key, folder, module.own and local, depth + 1)
        if child is None or not child.files:
            module.missing[name] = f"no Terraform files in {self.folders.shown(folder, '')}"
            return
        module.children[name] = child


def literal(attribute: Attribute | None) -> Any:
    """The value of an attribute that is written literally, else None."""
    if attribute is None:
        return None
    expr = attribute.expr
    return expr.value if isinstance(expr, Literal) else None


def dotted(expr: Any) -> str:
    """`aws.us` of a traversal (or of a quoted one); "" for anything else."""
    if isinstance(expr, Literal) and isinstance(expr.value, str):
        return expr.value
    if isinstance(expr, Name):
        return expr.name
    if isinstance(expr, GetAttr):
        head = dotted(expr.of)
        return f"{head}.{expr.name}" if head else ""
    return ""


def _says_more(name: str, data: bytes) -> bool:
    """Whether a file holds anything beside settings of Terraform itself."""
    try:
        return any(b.type != "terraform" for b in read_file(name, name, data).body.blocks)
    except InputError:
        return True


def _is_override(name: str) -> bool:
    stem = name.removesuffix(".json").rpartition(".")[0]  # `main.tags_override.tf` is one, too
    return stem == "override" or stem.endswith("_override")


def _key(block: Block) -> str:
    return ".".join(block.labels)


def _provider_key(block: Block) -> str:
    alias = literal(block.body.attributes.get("alias"))
    return f"{_key(block)}.{alias}" if alias else _key(block)


def _collect(module: Module, file: File) -> None:
    for block in file.body.blocks:
        kind = block.type
        if kind in ("resource", "data", "ephemeral"):
            if len(block.labels) == 2:
                _put(module, module.resources, _address(block), block)
        elif kind == "provider":
            module.providers.append(block)
        elif kind == "variable":
            _put(module, module.variables, _key(block), block, "var.")
        elif kind == "output":
            _put(module, module.outputs, _key(block), block, "output.")
        elif kind == "module":
            _put(module, module.calls, _key(block), block, "module.")
        elif kind == "locals":
            for name, attribute in block.body.attributes.items():
                if name in module.locals:
                    module.duplicates.add(f"local.{name}")
                module.locals[name] = attribute
        elif kind == "terraform":
            module.terraform.append(block)
        else:
            module.other.append(block)
            for scoped in block.body.blocks if kind == "check" else ():
                if scoped.type == "data" and len(scoped.labels) == 2:
                    _put(module, module.resources, _address(scoped), scoped)


def _address(block: Block) -> str:
    prefix = {"data": "data.", "ephemeral": "ephemeral."}.get(block.type, "")
    return prefix + _key(block)


def _put(module: Module, table: dict[str, Block], key: str, block: Block, prefix: str = "") -> None:
    if key in table:
        module.duplicates.add(prefix + key)
        return
    table[key] = block


def _override(module: Module, file: File) -> None:
    """Blocks of an override file are merged into those they name; unknown ones are added."""
    for block in file.body.blocks:
        kind = block.type
        table: dict[str, Block] | None = None
        key = _key(block)
        if kind in ("resource", "data", "ephemeral"):
            table, key = module.resources, _address(block)
        elif kind == "variable":
            table = module.variables
        elif kind == "output":
            table = module.outputs
        elif kind == "module":
            table = module.calls
        if table is not None:
            table[key] = _merged(table[key], block) if key in table else block
        elif kind == "locals":
            module.locals.update(block.body.attributes)
        elif kind == "provider":
            for i, base in enumerate(module.providers):
                if _provider_key(base) == _provider_key(block):
                    module.providers[i] = _merged(base, block)
                    break
            else:
                module.providers.append(block)
        elif kind == "terraform":
            module.terraform.append(_replacing(module.terraform, block))
        else:
            module.other.append(block)


def _replacing(earlier: list[Block], block: Block) -> Block:
    """An overriding `terraform` block: its backend (or cloud) is the only one, so are its entries of required providers."""
    named = {n for b in block.body.blocks if b.type == "required_providers" for n in b.body.attributes}
    for old in earlier if named else ():
        for required in old.body.blocks:
            if required.type == "required_providers":
                for name in named & set(required.body.attributes):
                    del required.body.attributes[name]
    if any(b.type in ("backend", "cloud") for b in block.body.blocks):
        for old in earlier:
            old.body.blocks[:] = [b for b in old.body.blocks if b.type not in ("backend", "cloud")]
    return block


def _merged(base: Block, over: Block) -> Block:
    """Attributes replace attributes; nested blocks of a type (`dynamic` ones too) replace all of that type."""
    body = Body()
    body.attributes = {**base.body.attributes, **over.body.attributes}
    replaced = {nested_type(b) for b in over.body.blocks}
    body.blocks = [b for b in base.body.blocks if nested_type(b) not in replaced or b.type == "lifecycle"]
    body.blocks += over.body.blocks
    return Block(base.type, base.labels, base.source, base.start, base.header_end, base.end, body)


def iterator_of(dynamic: Block) -> str:
    """The name that the content of a `dynamic` block has for what it goes over."""
    iterator = dynamic.body.attributes.get("iterator")
    return dotted(iterator.expr) if iterator is not None else dynamic.labels[0]


def nested_type(block: Block) -> str:
    """The type that a nested block, or a dynamic one, makes."""
    return block.labels[0] if block.type == "dynamic" and block.labels else block.type
