"""What every pixel of the reference world shows."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from scenegraph import Category


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
