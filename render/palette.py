"""Colours, widths and patterns of control videos, as constants.

``world-scenario`` is the look that Cosmos-Transfer2.5 multi-view was trained on; ``hdmap-v1`` is the
older look of Cosmos-Transfer1 and Cosmos-Drive-Dreams. Colours are 8-bit sRGB code values.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from scenegraph import Category, LightState

Rgb: TypeAlias = tuple[int, int, int]
PaletteName = Literal["world-scenario", "hdmap-v1"]
PALETTE_NAMES: Final[tuple[PaletteName, ...]] = ("world-scenario", "hdmap-v1")

# Names a user can switch layers by, in drawing order.
LAYERS: Final = (
    "road_boundaries",
    "stop_lines",
    "lane_lines",
    "poles",
    "crosswalks",
    "road_markings",
    "traffic_signs",
    "traffic_lights",
    "actors",
)

# -- world-scenario ---------------------------------------------------------------------------

FADE_DISTANCE_M: Final = 200.0
"""Colour and line width fall linearly with camera z to nothing here."""

LINE_WIDTH_PX: Final = 12.0
POLE_WIDTH_PX: Final = 5.0
BOX_EDGE_WIDTH_PX: Final = 4.0
BOX_EDGE_RGB: Final[Rgb] = (200, 200, 200)
OUTLINE_STEP_M: Final = 0.8
"""Boundaries, stop lines, poles and polygon outlines are cut into pieces of about this length."""
LANE_LINE_STEP_M: Final = 0.05

LAYER_RGB: Final[dict[str, Rgb]] = {
    "road_boundaries": (253, 1, 232),
    "stop_lines": (108, 179, 59),
    "poles": (183, 69, 177),
    "crosswalks": (139, 93, 255),
    "road_markings": (20, 254, 185),
    "traffic_signs": (8, 2, 255),
}

LIGHT_RGB: Final[dict[LightState, Rgb]] = {
    LightState.RED: (240, 50, 50),
    LightState.YELLOW: (255, 200, 0),
    LightState.GREEN: (130, 240, 132),
    LightState.OFF: (100, 100, 100),
    LightState.UNKNOWN: (100, 100, 100),
}

ACTOR_RGB: Final[dict[Category, tuple[Rgb, Rgb]]] = {
    Category.CAR: ((0, 46, 136), (126, 206, 255)),
    Category.TRUCK: ((204, 55, 0), (255, 192, 64)),
    Category.PEDESTRIAN: ((148, 0, 62), (255, 124, 171)),
    Category.CYCLIST: ((0, 80, 66), (102, 208, 198)),
    Category.OTHERS: ((53, 26, 20), (166, 136, 125)),
}
"""Front and rear of a box: dark to light shows the heading."""

WHITE: Final[Rgb] = (255, 255, 255)
YELLOW: Final[Rgb] = (255, 255, 0)
OTHER_LANE_LINE_RGB: Final[Rgb] = (181, 164, 71)

Pattern = Literal["solid", "long_dash", "short_dash", "dots", "dot_dash"]
Strand: TypeAlias = tuple[float, Pattern]
"""Metres to the left of the line, and what is painted there."""

DOUBLE_OFFSET_M: Final = 0.1

LANE_LINE_STRANDS: Final[dict[tuple[str, str], tuple[Strand, ...]]] = {
    ("WHITE", "SOLID_SINGLE"): ((0.0, "solid"),),
    ("WHITE", "LONG_DASHED_SINGLE"): ((0.0, "long_dash"),),
    ("WHITE", "SHORT_DASHED_SINGLE"): ((0.0, "short_dash"),),
    ("WHITE", "DOT_DASHED_SINGLE"): ((0.0, "dot_dash"),),
    ("WHITE", "SOLID_GROUP"): ((DOUBLE_OFFSET_M, "solid"), (-DOUBLE_OFFSET_M, "solid")),
    ("YELLOW", "SOLID_SINGLE"): ((0.0, "solid"),),
    ("YELLOW", "LONG_DASHED_SINGLE"): ((0.0, "long_dash"),),
    ("YELLOW", "SOLID_GROUP"): ((DOUBLE_OFFSET_M, "solid"), (-DOUBLE_OFFSET_M, "solid")),
    ("YELLOW", "DASHED_SOLID"): ((DOUBLE_OFFSET_M, "solid"), (-DOUBLE_OFFSET_M, "long_dash")),
    ("YELLOW", "SOLID_DASHED"): ((DOUBLE_OFFSET_M, "long_dash"), (-DOUBLE_OFFSET_M, "solid")),
    ("YELLOW", "DOT_SOLID_SINGLE"): ((0.0, "dots"),),
    ("YELLOW", "DOT_SOLID_GROUP"): ((DOUBLE_OFFSET_M, "dots"), (-DOUBLE_OFFSET_M, "dots")),
}
"""Every other pair of colour and style is one solid strand in OTHER_LANE_LINE_RGB."""

# -- hdmap-v1 ---------------------------------------------------------------------------------

V1_FADE_DISTANCE_M: Final = 122.5
V1_LINE_THICKNESS_PX: Final = 8
V1_BOX_THICKNESS_PX: Final = 5
V1_STEP_M: Final = 0.8

V1_LAYER_RGB: Final[dict[str, Rgb]] = {
    "road_boundaries": (200, 36, 35),
    "stop_lines": (185, 63, 34),
    "lane_lines": (98, 183, 249),
    "poles": (66, 40, 144),
    "crosswalks": (206, 131, 63),
    "road_markings": (126, 204, 205),
    "traffic_signs": (131, 175, 155),
    "traffic_lights": (252, 157, 155),
}

V1_ACTOR_RGB: Final[dict[Category, Rgb]] = {
    Category.CAR: (255, 0, 0),
    Category.TRUCK: (0, 0, 255),
    Category.PEDESTRIAN: (0, 255, 0),
    Category.CYCLIST: (255, 255, 0),
    Category.OTHERS: (255, 255, 255),
}
