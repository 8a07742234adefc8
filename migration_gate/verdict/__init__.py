"""Findings become verdicts: with a check, a severity, and the allowance where the user accepts them."""
