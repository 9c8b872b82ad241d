"""The exception tree and the exit codes. A hint belongs to its exception."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes, the same for every format; the worst wins."""

    OK = 0
    FINDINGS = 1
    CANNOT_AUDIT = 2
    BUG = 3
    INTERRUPTED = 130


class AuditorError(Exception):
    """Anything that ends the run with exit 2: one sentence on what is wrong, one on what to do."""

    exit_code = ExitCode.CANNOT_AUDIT

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class InputError(AuditorError):
    """A plan, state, HCL or lock file that cannot be read or must not be trusted."""


class PolicyError(AuditorError):
    """A policy, workload, waiver or rule file with a mistake; names file, line and key."""


class CatalogError(AuditorError):
    """The shipped or given catalogue cannot answer: missing, stale or malformed."""


class RuleError(AuditorError):
    """A rule or check that crashed, or a run in which no rule is selected."""
