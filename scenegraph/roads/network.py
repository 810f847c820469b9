"""A road network as OpenDRIVE describes one: reference lines, lane sections, road marks, junctions.

The one form that both the OpenDRIVE reader and the procedural roads produce; ``surface`` turns it into an HDMap.
Frame: x east, y north, z up, metres. On a road, s runs along its reference line and t to the left of it.
Source of all formulas: ASAM OpenDRIVE 1.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Cubic:
    """a + b d + c d^2 + d d^3 with d = s - s_m, valid from s_m to where the next one begins."""

    s_m: float
    a: float
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0


@dataclass(frozen=True)
class Line:
    """Straight on."""


@dataclass(frozen=True)
class Arc:
    """Constant curvature, 1/m, positive to the left."""

    curvature: float


@dataclass(frozen=True)
class Spiral:
    """Curvature that changes linearly with s (clothoid)."""

    start_curvature: float
    end_curvature: float


@dataclass(frozen=True)
class ParamPoly3:
    """u(p), v(p) cubic in p, u ahead and v to the left of the start. p is arc length in metres or runs from 0 to 1.

    A poly3 geometry, v(u), is one with u(p) = p.
    """

    u: tuple[float, float, float, float]
    v: tuple[float, float, float, float]
    is_normalised: bool = False
    is_function_of_u: bool = False


PlanShape: TypeAlias = Line | Arc | Spiral | ParamPoly3


@dataclass(frozen=True)
class PlanGeometry:
    """One piece of a reference line: where it begins and how it goes on."""

    s_m: float
    x_m: float
    y_m: float
    heading_rad: float
    length_m: float
    shape: PlanShape


@dataclass(frozen=True)
class RoadMark:
    """Paint on the outer edge of a lane (or on the centre lane), from s_m after the section's start.

    style: solid, broken, solid solid, solid broken, broken solid, broken broken, botts dots, none, curb, grass, edge.
    colour: standard (white), white, yellow, blue, green, red, orange, violet.
    dash_m, gap_m: of a broken line, None where nothing says how long they are.
    """

    s_m: float
    style: str
    colour: str = "standard"
    width_m: float | None = None
    dash_m: float | None = None
    gap_m: float | None = None


@dataclass(frozen=True)
class LaneHeight:
    """How far a lane lies above the road at its inner and outer edge, from s_m after the section's start."""

    s_m: float
    inner_m: float
    outer_m: float


@dataclass(frozen=True)
class RoadLane:
    """One lane of a section.

    id: positive to the left of the reference line, negative to the right, 0 the line itself, which has no width.
    widths: by s after the section's start; or with ``has_borders`` the t of its outer edge.
    predecessor, successor: lane ids in the sections or roads before and after, None where the file says nothing.
    is_reversed: driven against the direction of its side of the road.
    """

    id: int
    kind: str
    widths: tuple[Cubic, ...] = ()
    has_borders: bool = False
    marks: tuple[RoadMark, ...] = ()
    heights: tuple[LaneHeight, ...] = ()
    speed_limit_mps: float | None = None
    predecessor: int | None = None
    successor: int | None = None
    is_reversed: bool = False


@dataclass(frozen=True)
class LaneSection:
    """A stretch of road with the same lanes, from s_m to the next section; lanes from the leftmost to the rightmost."""

    s_m: float
    lanes: tuple[RoadLane, ...]


@dataclass(frozen=True)
class OutlineCorner:
    """A corner of an object: u ahead and v left of it, or with ``is_on_road`` s and t; z above the road."""

    u_m: float
    v_m: float
    z_m: float = 0.0
    is_on_road: bool = False


@dataclass(frozen=True)
class RoadObject:
    """Something beside or on a road: crosswalk, pole, barrier, building ..., as a box or an outline.

    end: s and t where a thing without gaps, such as a guard rail, ends; it begins at s_m and t_m.
    """

    id: str
    kind: str
    s_m: float
    t_m: float
    z_m: float = 0.0
    heading_rad: float = 0.0
    length_m: float = 0.0
    width_m: float = 0.0
    height_m: float = 0.0
    outline: tuple[OutlineCorner, ...] = ()
    end: tuple[float, float] | None = None
    name: str = ""


@dataclass(frozen=True)
class Signal:
    """A traffic light or sign, or what OpenDRIVE lists as one: stop lines, painted crosswalks.

    z_m: its lower edge above the road. heading_rad: how far it is turned from facing its traffic.
    orientation: + for traffic along s, - against it. country, kind, subkind: its code. value: such as a speed.
    lanes: the lowest and the highest id of the lanes it is for, None for all.
    """

    id: str
    s_m: float
    t_m: float
    z_m: float
    orientation: Literal["+", "-", "none"]
    is_dynamic: bool
    kind: str = ""
    subkind: str = ""
    country: str = ""
    heading_rad: float = 0.0
    width_m: float = 0.0
    height_m: float = 0.0
    value: float | None = None
    lanes: tuple[int, int] | None = None
    name: str = ""


@dataclass(frozen=True)
class RoadLink:
    """What a road leads to: another road at one of its ends, or a junction."""

    kind: Literal["road", "junction"]
    id: str
    contact: Literal["start", "end"] | None = None


@dataclass(frozen=True)
class Road:
    """A road along one reference line. junction: the one it lies in, None outside. left_hand: drives on the left."""

    id: str
    length_m: float
    plan: tuple[PlanGeometry, ...]
    sections: tuple[LaneSection, ...]
    elevation: tuple[Cubic, ...] = ()
    superelevation: tuple[Cubic, ...] = ()
    lane_offset: tuple[Cubic, ...] = ()
    objects: tuple[RoadObject, ...] = ()
    signals: tuple[Signal, ...] = ()
    predecessor: RoadLink | None = None
    successor: RoadLink | None = None
    junction: str | None = None
    left_hand: bool = False
    name: str = ""


@dataclass(frozen=True)
class Connection:
    """A way through a junction: from a road onto one that lies in it, with (from, to) lane ids.

    In a direct junction, which has no roads of its own, it leads straight to the next road.
    contact: which end of the connecting road is met.
    """

    incoming: str
    connecting: str
    contact: Literal["start", "end"]
    lanes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Junction:
    """Where roads meet."""

    id: str
    connections: tuple[Connection, ...]
    name: str = ""


@dataclass(frozen=True)
class SignalGroup:
    """Signals that change together (an OpenDRIVE controller)."""

    id: str
    signals: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class RoadNetwork:
    """Roads by id, junctions, signal groups.

    origin_m: where its (0, 0, 0) lies in the source's own coordinates. source: what it was made from, in words.
    """

    roads: tuple[Road, ...]
    junctions: tuple[Junction, ...] = ()
    signal_groups: tuple[SignalGroup, ...] = ()
    origin_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    name: str = ""
    source: Mapping[str, str] = field(default_factory=dict, hash=False)
