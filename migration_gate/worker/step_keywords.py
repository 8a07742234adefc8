"""What env.py gives to the functions of the revisions, by `context.run_migrations(engine_name=name)`."""

from __future__ import annotations

import functools
from typing import Any, Callable

from . import private_api
from .env_context import list_metadatas
from .protocol.history_lines import StepKeyword, StepKeywords


class KeywordRecorder:
    """Remembers the keywords of every step, and the models of its context."""

    def __init__(self) -> None:
        self._calls: list[tuple[tuple[StepKeyword, ...], tuple[int, ...]]] = []
        """with the ids of the context's MetaData"""
        self._judged: set[tuple[int, ...]] = set()

    def watch(self, step: Any, context: Any, *, is_judged: bool) -> None:
        """Look at the keywords of a step that Alembic is about to run."""
        metadatas = tuple(id(metadata) for metadata in list_metadatas(context.opts.get("target_metadata")))
        if is_judged:
            self._judged.add(metadatas)
        private_api.wrap_migration_function(step, functools.partial(self._wrap, metadatas))

    def _wrap(self, metadatas: tuple[int, ...], function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched_function(**keywords: Any) -> Any:
            call = tuple(
                StepKeyword(name, value if isinstance(value, str) else None)
                for name, value in sorted(keywords.items())
            )
            if (call, metadatas) not in self._calls:
                self._calls.append((call, metadatas))
            return function(**keywords)

        return watched_function

    def list_keywords(self) -> tuple[StepKeywords, ...]:
        """Those of all contexts, each once; none if there are no keywords."""
        calls = [StepKeywords(call, metadatas in self._judged) for call, metadatas in self._calls if call]
        return tuple(dict.fromkeys(calls))
