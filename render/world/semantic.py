"""What every pixel of the reference world shows."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from scenegraph import Category

from .mesh import Material


class SemanticClass(IntEnum):
    """What a pixel shows; the order is part of the file format."""

    SKY = 0
    ROAD = 1
    MARKING = 2
    PAVEMENT = 3
    TERRAIN = 4
    BUILDING = 5
    VEGETATION = 6
    POLE = 7
    SIGN = 8
    LIGHT = 9
    CAR = 10
    TRUCK = 11
    PEDESTRIAN = 12
    CYCLIST = 13
    OTHER = 14


CLASS_OF_CATEGORY: Final = {
    Category.CAR: SemanticClass.CAR,
    Category.TRUCK: SemanticClass.TRUCK,
    Category.PEDESTRIAN: SemanticClass.PEDESTRIAN,
    Category.CYCLIST: SemanticClass.CYCLIST,
    Category.OTHERS: SemanticClass.OTHER,
}

_CLASS_OF_MATERIAL: Final = {
    Material.MATTE: SemanticClass.BUILDING,
    Material.PAINTWORK: SemanticClass.OTHER,
    Material.GLASS: SemanticClass.BUILDING,
    Material.RUBBER: SemanticClass.OTHER,
    Material.METAL: SemanticClass.POLE,
    Material.FOLIAGE: SemanticClass.VEGETATION,
    Material.FACADE: SemanticClass.BUILDING,
    Material.GROUND: SemanticClass.TERRAIN,
    Material.HEADLAMP: SemanticClass.OTHER,
    Material.TAILLAMP: SemanticClass.OTHER,
    Material.LAMP: SemanticClass.POLE,
    Material.SIGNAL: SemanticClass.LIGHT,
    Material.SIGN: SemanticClass.SIGN,
}


def classes_of_materials() -> npt.NDArray[np.uint8]:
    """The class of a static surface by its material, uint8 [number of materials]."""
    return np.array([_CLASS_OF_MATERIAL[material] for material in Material], dtype=np.uint8)
