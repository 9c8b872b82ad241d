"""What a plan uses, as records: types and arguments by block, versions in force, escape hatches, commands.

`resolve/lag_use.py` fills them in, the lag and workaround checks judge them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auditor.lagfacts import Hatch
from auditor.model import Evidence
from auditor.versions import Version


class InForce(msgspec.Struct, frozen=True):
    """The version of a provider that a run would use: locked, or what the constraints of all modules admit together.

    constraint: all constraints, joined; "" where there is none. conflict: they admit nothing together.
    lowest, highest: of the releases the catalogue holds; None where it holds none, or none is admitted.
    """

    source: str
    locked: Version | None = None
    locked_text: str = ""
    constraint: str = ""
    malformed: bool = False
    bounded: bool = False
    conflict: bool = False
    lowest: Version | None = None
    highest: Version | None = None
    outside: bool = False  # the locked version is not one the constraints admit
    tracked: bool = False
    evidence: tuple[Evidence, ...] = ()
    missing_from: str = ""  # the lock file that is there and does not hold the provider

    @property
    def unlocked(self) -> str:
        """Why no version is locked."""
        return f"{self.missing_from} does not lock it" if self.missing_from else "no lock file"


class Use(msgspec.Struct, frozen=True):
    """One resource block and what of it is asked about.

    attributes: arguments in use that the version in force may lack, as in the shard. unsure: those that may be in use.
    """

    address: str
    source: str
    kind: str
    type: str
    existing: bool
    instances: int = 1
    attributes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


class Escape(msgspec.Struct, frozen=True):
    """A block that manages resources through an escape hatch. `types`: API types as written; `unread`: why some are not known."""

    address: str
    source: str
    type: str
    hatch: Hatch
    path: str
    types: tuple[str, ...]
    unread: str
    existing: bool
    sensitive: bool = False


class Command(msgspec.Struct, frozen=True):
    """A block whose provisioners (or program) call a cloud. `shown` holds programs and commands, never arguments."""

    address: str
    type: str
    path: str
    shown: tuple[str, ...]
    unread: str
    existing: bool


class Preview(msgspec.Struct, frozen=True):
    """A block on a preview channel."""

    address: str
    path: str
    what: str


class LagUse(msgspec.Struct, frozen=True):
    """All of it, for one plan."""

    uses: tuple[Use, ...]
    escapes: tuple[Escape, ...]
    commands: tuple[Command, ...]
    previews: tuple[Preview, ...]
    in_force: Mapping[str, InForce] = msgspec.field(default_factory=dict)
