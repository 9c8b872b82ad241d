"""A Terraform folder without a plan, as a plan of kind "hcl"."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from auditor.errors import InputError
from auditor.load.hcl.folders import Disk
from auditor.load.hcl.inputs import SourceOptions, read_inputs
from auditor.load.hcl.modules import declared_twice, read_tree
from auditor.load.hcl.scan import scan
from auditor.load.source import shown
from auditor.model import Plan


def load_folder(folder: Path, options: SourceOptions, notices: tuple[str, ...] = ()) -> Plan:
    """Raises InputError for source that cannot be read, unless options.keep_going says to go on without it."""
    disk = Disk(folder, shown(folder))
    tree = read_tree(disk, options.keep_going)
    twice = declared_twice(tree)
    if twice and not options.keep_going:
        raise InputError(twice[0], "Terraform refuses it: remove one of them.")
    tree = replace(tree, unread=(*tree.unread, *twice))
    inputs, about = read_inputs(tree.root, disk, options)
    return scan(tree, shown(folder), inputs, disk, options.workspace, (*notices, *about))
