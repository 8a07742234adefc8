"""`dataclass` as in the standard library, for a class whose methods are made when it is first used."""

from migration_gate.worker.deferred_methods import dataclass

__all__ = ["dataclass"]
