"""The words for a default that is no call although one was meant: a string is evaluated once, or never."""

from __future__ import annotations

import re

from migration_gate.analysis.op_code import quote_python
from migration_gate.facts import Difference

FROZEN = 'the moment of the DDL (a string such as "now()" is evaluated once)'
"""in place of the moment, which is another one in every run"""
QUOTED = "the text of a call, not its value: "
_CALL = re.compile(r"\(?(?:CURRENT_|LOCALTIME|\w+\()")
"""how a default begins that is evaluated at each INSERT"""


def is_evaluated_default(text: str | None) -> bool:
    """Whether a side of a difference is such a default."""
    return text is not None and (text == FROZEN or text.startswith(QUOTED))


def write_call(difference: Difference) -> str:
    """The call that was meant, as a model or a revision writes it; that of a side which has one."""
    for text in (difference.models, difference.database):
        if text is not None and text != "now()" and _CALL.match(text):
            return f"sa.text({quote_python(text)})"
    for text in (difference.models, difference.database):
        if text is not None and text.startswith(QUOTED):
            return f"sa.text({quote_python(text.removeprefix(QUOTED))})"
    return "sa.func.now()"
