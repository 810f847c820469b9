"""Where the tokens of a clip live: all in one process, or spread over several (see ``parallel``)."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Layout(Protocol):
    """How a network's forward pass is spread over processes.

    Every process holds tokens [B,V',L,S',C]: some of the views, or some of the tokens of every frame.
    """

    def split_views(self, whole: Tensor, dim: int) -> Tensor:
        """This process's part of something with an axis of views."""
        ...

    def split_tokens(self, whole: Tensor, dim: int) -> Tensor:
        """This process's part of something with an axis of tokens per frame."""
        ...

    def split_neighbours(self, neighbours: Tensor) -> Tensor:
        """The rows of this process's views in the map of neighbours, bool [V,V]; the columns are the views that
        ``fetch_views`` yields."""
        ...

    def join(self, tokens: Tensor) -> Tensor:
        """All tokens [B,V,L,S,C] from everybody's [B,V',L,S',C]."""
        ...

    def to_heads(self, tokens: Tensor) -> Tensor:
        """Queries, keys or values [B,V',L,S',heads,d] as [B,V',L,S,heads',d]: all tokens of some heads."""
        ...

    def to_tokens(self, mixed: Tensor) -> Tensor:
        """The inverse of ``to_heads``."""
        ...

    def fetch_views(self, tokens: Tensor) -> Tensor:
        """Keys or values [B,V',L,S,heads,d] of this process as [B,seen,L,S,heads,d] of all that its views look at."""
        ...

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a number over all processes, so that all take the same decision."""
        ...


class Whole:
    """Everything in one process."""

    def split_views(self, whole: Tensor, dim: int) -> Tensor:
        """All of it."""
        return whole

    def split_tokens(self, whole: Tensor, dim: int) -> Tensor:
        """All of it."""
        return whole

    def split_neighbours(self, neighbours: Tensor) -> Tensor:
        """All of it."""
        return neighbours

    def join(self, tokens: Tensor) -> Tensor:
        """They are all here."""
        return tokens

    def to_heads(self, tokens: Tensor) -> Tensor:
        """All tokens of all heads are here."""
        return tokens

    def to_tokens(self, mixed: Tensor) -> Tensor:
        """The same."""
        return mixed

    def fetch_views(self, tokens: Tensor) -> Tensor:
        """All views are here."""
        return tokens

    def mean(self, value: Tensor) -> Tensor:
        """Itself."""
        return value


WHOLE = Whole()
