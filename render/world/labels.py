"""What the middle of every pixel shows: depth, actor and class; compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiling import njit
from .ground_shading import kind_of_ground
from .mesh import Material
from .semantic import SemanticClass

_GROUND = int(Material.GROUND)
_SKY, _LIGHT, _TERRAIN, _PAVEMENT = (
    int(kind) for kind in (SemanticClass.SKY, SemanticClass.LIGHT, SemanticClass.TERRAIN, SemanticClass.PAVEMENT)
)


@njit
def label(
    pictures: Any, kinds: Any, categories: Any, forward: Any, distance: Any, face: Any, material: Any, owner: Any,
    place: Any, depth: Any, instance: Any, semantic: Any,
) -> None:  # fmt: skip
    """Fill depth, instance and semantic [P] of pixels whose rays meet faces [P], -1 for the sky.

    material, owner, place: [P], of the faces. kinds: uint8 [F], classes of still faces; later ones are moving.
    categories: uint8 [A], classes of actors. forward: [P], z of the rays.
    """
    for p in range(len(face)):
        f = face[p]
        instance[p] = -1
        if f < 0:
            depth[p], semantic[p] = np.inf, _SKY
            continue
        depth[p] = distance[p] * forward[p]
        if f >= len(kinds):
            instance[p] = owner[p]
            semantic[p] = _LIGHT if owner[p] < 0 else categories[owner[p]]
        elif material[p] == _GROUND and (kinds[f] == _TERRAIN or kinds[f] == _PAVEMENT):
            semantic[p] = kind_of_ground(pictures, float(place[p, 0]), float(place[p, 1]))
            if kinds[f] == _PAVEMENT:
                semantic[p] = _PAVEMENT
        else:
            semantic[p] = kinds[f]
