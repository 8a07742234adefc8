"""Findings become verdicts: signed, weighed, and accepted where the user allows them."""
