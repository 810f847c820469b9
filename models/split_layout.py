"""Layouts of a network spread over processes: over the tokens of every frame, or over views (see ``parallel``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from .layout import Whole


def even_sizes(total: int, parts: int) -> list[int]:
    """``total`` things over ``parts``, as evenly as whole numbers allow, the larger parts first."""
    return [total // parts + (index < total % parts) for index in range(parts)]


class TokenSplit(Whole):
    """Some tokens of every frame; for the attention all tokens of some heads."""

    def __init__(self, group: Any) -> None:
        self.group = group
        self._count, self._index = dist.get_world_size(group), dist.get_rank(group)
        self._tokens: list[int] = []
        self._heads: list[int] = []

    def split_tokens(self, whole: Tensor, dim: int) -> Tensor:
        """Neighbouring tokens, about as many in every process."""
        self._tokens = even_sizes(whole.shape[dim], self._count)
        return whole.narrow(dim, sum(self._tokens[: self._index]), self._tokens[self._index])

    def join(self, tokens: Tensor) -> Tensor:
        """All tokens [B,V,L,S,C], in every process."""
        return _gather(tokens, 3, self._tokens, self.group)

    def to_heads(self, tokens: Tensor) -> Tensor:
        """[B,V,L,S',heads,d] -> [B,V,L,S,heads',d]."""
        self._heads = even_sizes(tokens.shape[4], self._count)
        shapes = [(*tokens.shape[:3], count, self._heads[self._index], tokens.shape[5]) for count in self._tokens]
        return torch.cat(self._exchange(tokens.split(self._heads, dim=4), shapes), dim=3)

    def to_tokens(self, mixed: Tensor) -> Tensor:
        """[B,V,L,S,heads',d] -> [B,V,L,S',heads,d]."""
        shapes = [(*mixed.shape[:3], self._tokens[self._index], count, mixed.shape[5]) for count in self._heads]
        return torch.cat(self._exchange(mixed.split(self._tokens, dim=3), shapes), dim=4)

    def mean(self, value: Tensor) -> Tensor:
        """Over all tokens."""
        return _mean(value, self._tokens, self._index, self.group)

    def _exchange(self, parts: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
        """Part i goes to process i; what comes from process i has shape i."""
        sent = torch.cat([part.flatten() for part in parts])
        sizes = [math.prod(shape) for shape in shapes]
        received = sent.new_empty(sum(sizes))
        dist.all_to_all_single(received, sent, sizes, [part.numel() for part in parts], group=self.group)
        return [piece.view(shape) for piece, shape in zip(received.split(sizes), shapes, strict=True)]


class ViewSplit(Whole):
    """Some views; keys and values of the views they look at are fetched from those who have them."""

    def __init__(self, group: Any) -> None:
        self.group = group
        self._count, self._index = dist.get_world_size(group), dist.get_rank(group)
        self._views: list[int] = []
        self._seen: list[list[int]] = []

    def split_views(self, whole: Tensor, dim: int) -> Tensor:
        """Views next to each other; an axis of 1, the same for all views, stays."""
        if whole.shape[dim] == 1 and self._views:
            return whole
        self._views = even_sizes(whole.shape[dim], self._count)
        return whole.narrow(dim, sum(self._views[: self._index]), self._views[self._index])

    def split_neighbours(self, neighbours: Tensor) -> Tensor:
        """The rows of this process's views, the columns of those that ``fetch_views`` will bring."""
        mine = self.split_views(neighbours, 0)
        self._seen = [rows.any(dim=0).nonzero().flatten().tolist() for rows in neighbours.cpu().split(self._views)]
        return mine[:, self._seen[self._index]]

    def join(self, tokens: Tensor) -> Tensor:
        """All tokens [B,V,L,S,C], in every process."""
        return _gather(tokens, 1, self._views, self.group)

    def fetch_views(self, tokens: Tensor) -> Tensor:
        """[B,V',L,S,heads,d] -> [B,seen,L,S,heads,d], only the views that a view here looks at, in their order."""
        begins = [0, *accumulate(self._views)]
        owner = [process for process, count in enumerate(self._views) for _ in range(count)]
        seen = self._seen[self._index]
        fetched = tokens.new_empty(len(seen), tokens.shape[0], *tokens.shape[2:])
        operations = []
        # Between two processes, views travel in ascending order at both ends.
        for process, views in enumerate(self._seen):
            for view in views:
                if owner[view] == self._index != process:
                    sent = tokens[:, view - begins[self._index]].contiguous()
                    operations.append(dist.P2POp(dist.isend, sent, self._rank(process), self.group))
        for place, view in enumerate(seen):
            if owner[view] == self._index:
                fetched[place] = tokens[:, view - begins[self._index]]
            else:
                operations.append(dist.P2POp(dist.irecv, fetched[place], self._rank(owner[view]), self.group))
        for work in dist.batch_isend_irecv(operations) if operations else ():
            work.wait()
        return fetched.transpose(0, 1)

    def mean(self, value: Tensor) -> Tensor:
        """Over all views."""
        return _mean(value, self._views, self._index, self.group)

    def _rank(self, process: int) -> int:
        return dist.get_global_rank(self.group, process)


def _mean(mine: Tensor, sizes: Sequence[int], index: int, group: Any) -> Tensor:
    """The mean over everything from the means over parts of these sizes."""
    total = mine * (sizes[index] / sum(sizes))
    dist.all_reduce(total, group=group)
    return total


def _gather(mine: Tensor, dim: int, sizes: Sequence[int], group: Any) -> Tensor:
    """Everybody's part along an axis, sizes as given; shorter parts travel padded."""
    most = max(sizes)
    padded = mine.new_zeros(*mine.shape[:dim], most, *mine.shape[dim + 1 :])
    padded.narrow(dim, 0, mine.shape[dim]).copy_(mine)
    parts = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(parts, padded, group=group)
    return torch.cat([part.narrow(dim, 0, size) for part, size in zip(parts, sizes, strict=True)], dim=dim)
