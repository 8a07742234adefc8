"""The words of a SQL statement that nobody runs: its keywords, and the names between them as written."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.lexer import Token, TokenKind

BEFORE_NAME = frozenset({"IF", "NOT", "EXISTS", "ONLY", "CONCURRENTLY"})
"""words between the kind of an object and its name"""
_NAME_KINDS = frozenset({TokenKind.WORD, TokenKind.QUOTED_NAME, TokenKind.PLACEHOLDER})


@dataclass(frozen=True, slots=True)
class StatementWords:
    """A statement that can be asked what stands at a token."""

    tokens: Sequence[Token]
    keywords: Sequence[str]
    """of each token the word in capitals, or empty text"""

    @classmethod
    def from_tokens(cls, tokens: Sequence[Token]) -> StatementWords:
        """The words of these tokens."""
        return cls(tokens, [token.keyword for token in tokens])

    def keyword_at(self, index: int) -> str:
        """The word in capitals; empty behind the end, and where something else stands."""
        return self.keywords[index] if index < len(self.keywords) else ""

    def skip(self, index: int, skipped: Collection[str]) -> int:
        """The first position from `index` on at which none of these words stands."""
        while index < len(self.keywords) and self.keywords[index] in skipped:
            index += 1
        return index

    def name_at(self, index: int) -> str:
        """The possibly qualified name that begins at this token, as written; empty if there is none."""
        name = ""
        end = -1
        for token in self.tokens[index:]:
            is_part = token.kind in _NAME_KINDS or token.text == "."
            # `{prefix}_users` is one name of two tokens, `users u` is a name and its alias.
            is_joined = token.start == end or token.text == "." or name.endswith(".")
            if not is_part or (name and not is_joined):
                break
            name += token.text
            end = token.end
        return name if _is_complete(name) else ""

    def name_after(self, prepositions: Collection[str], index: int) -> str:
        """The name behind the first of these words from `index` on; empty if there is none."""
        for position in range(index, len(self.keywords)):
            if self.keywords[position] in prepositions:
                return self.name_at(self.skip(position + 1, BEFORE_NAME))
        return ""


def _is_complete(name: str) -> bool:
    return bool(name.strip(".")) and not name.endswith(".")
