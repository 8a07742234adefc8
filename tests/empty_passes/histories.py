"""Histories that do not do what a pass would vouch for."""

from __future__ import annotations

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import CREATE, revision

WAYS = (
    EmptyPass(
        "a migration swallows its error",
        says=(Says("silent-upgrade", "two 42703", "swallowed-error", words=("migrations/versions/two.py",)),),
        files={
            "two_py": revision(
                "two",
                "one",
                """
                with op.get_context().autocommit_block():
                    try:
                        op.execute("alter table item drop column nothing")
                    except Exception:
                        pass
                """,
            )
        },
    ),
    EmptyPass(
        "the model's change has no revision",
        says=(Says("drift", "item.name", "type"), Says("drift", "item.name", "nullability")),
        files={"one_py": revision("one", None, CREATE), "two_py": None},
    ),
)
