"""Several revisions run in one transaction, so the locks of each are held until the last has ended.

That is Alembic's default. A lock of a moment becomes one of the whole deployment, and work that was
put into a revision of its own runs under the locks of those before it.

Instead, give each revision a transaction of its own: `transaction_per_migration=True` in `env.py`.
"""

from collections.abc import Iterator

from migration_gate.analysis import lock_messages
from migration_gate.analysis.lock_hygiene import SharedTransaction, find_shared_transactions
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts, Location
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.WARNING
SUBJECT = Subject.OBSERVED
IN_ENV = "context.configure(\n    # ... as it is\n    transaction_per_migration=True,\n)"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding, of the longest of these transactions: it is set in one place."""
    transactions = sorted(find_shared_transactions(facts), key=lambda item: -len(item.revisions))
    for item in transactions[:1]:
        yield _describe(facts, item)


def _describe(facts: Facts, item: SharedTransaction) -> Finding:
    tables = dict.fromkeys(lock.relation.table_name for lock in item.locks)
    file = facts.replay.models.environment_file
    return Finding(
        object="transaction_per_migration",
        message=f"{join_words(item.revisions)} run in one transaction: locks on {join_words(tables)} are "
        f"held "
        "until the last one has ended",
        location=Location(file) if file else item.last.location,
        evidence=tuple(lock_messages.collect_evidence(facts.replay.observation, item.last, item.locks)),
        fix=f"In `env.py`:{code_block(IN_ENV)}",
    )
