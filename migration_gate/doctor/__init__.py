"""The command `doctor`: prints what is missing and what the gate found; with `--try`, runs env.py once."""

from migration_gate.doctor.diagnosis import diagnose

__all__ = ["diagnose"]
