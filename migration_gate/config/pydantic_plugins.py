"""Keeps plug-ins of pydantic out: the gate has none, and to look for them takes 20 ms.

pydantic has a variable for it, which the project's code would get to see, too. This is not public: where a
later pydantic has it no more, plug-ins are looked for.
"""

from __future__ import annotations

from pydantic.plugin import _loader


def keep_plugins_out() -> None:
    """Have pydantic know that there are no plug-ins, before the first model is made."""
    if getattr(_loader, "_plugins", ...) is None:
        _loader._plugins = {}
