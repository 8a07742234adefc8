"""Postgres' own words, at DEBUG1, for work that goes through the rows of a table: the same from 15 to 18."""

from __future__ import annotations

import re
from collections.abc import Mapping

from migration_gate.facts import WorkKind
from migration_gate.lazy_dataclass import dataclass

REWRITTEN = re.compile(r'rewriting table "(?P<table>.+)"')
VERIFIED = re.compile(r'verifying table "(?P<table>.+)"')
FOREIGN_KEY = re.compile(r'validating foreign key constraint "(?P<detail>.+)"')
BUILT = re.compile(r'building index "(?P<detail>.+)" on table "(?P<table>.+?)"(?: |$).*')
PROOFS = (
    re.compile(r'existing constraints on column "(?P<proof>.+)" are sufficient to prove .*'),
    re.compile(
        r'(?:updated )?partition constraint for (?:default partition|table) "(?P<proof>.+)" is implied .*'
    ),
)
PATTERNS: Mapping[WorkKind, re.Pattern[str]] = {
    WorkKind.REWRITE: REWRITTEN,
    WorkKind.VERIFICATION: VERIFIED,
    WorkKind.FOREIGN_KEY: FOREIGN_KEY,
    WorkKind.INDEX_BUILD: BUILT,
}


@dataclass(frozen=True, slots=True)
class WorkMessage:
    """Work that a message names."""

    kind: WorkKind
    table: str
    """its name without a schema; '' if the message has none"""
    detail: str = ""
    """an index or a constraint"""


def parse_work(text: str) -> WorkMessage | None:
    """The work that a message is about; None if it is about something else."""
    for kind, pattern in PATTERNS.items():
        match = pattern.fullmatch(text)
        if match is not None:
            parts = match.groupdict()
            return WorkMessage(kind, parts.get("table") or "", parts.get("detail") or "")
    return None


def parse_proof(text: str) -> str:
    """The column, or partition, that needs no scan by the message; '' if that is not what it says."""
    matches = (pattern.fullmatch(text) for pattern in PROOFS)
    return next((match["proof"] for match in matches if match is not None), "")
