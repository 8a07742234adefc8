"""`python -m migration_gate`."""

from migration_gate.cli import main

main()
