"""Statements that only read: if one of them failed, nothing is missing in the database."""

from __future__ import annotations

import re

READS_ONLY = re.compile(
    r"\s*(SHOW|EXPLAIN|TABLE|VALUES|FETCH|SELECT\b(?=.*\bFROM)|SELECT\b[^(]*$)", re.IGNORECASE | re.DOTALL
)
"""a statement without an effect that could be missing, as its text shows; a function may have one"""
