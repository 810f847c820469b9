"""Suggestions for misspelt words, and numbers of things in words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'type'?)`` when a known word is close, else nothing; to be put behind the complaint."""
    matches = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def counted(count: int, noun: str) -> str:
    """``1 actor``, ``2 actors``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
