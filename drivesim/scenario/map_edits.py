"""Edits of the map: move, take out, add and repaint elements.

Places are as seen from the ego at the start: x ahead, y left; heights follow the road.
Lanes list the paint on their edges; where a painted line changes, the marks of lane edges along it change as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from scenegraph import (
    SE3,
    Crosswalk,
    HDMap,
    LaneLine,
    LaneSegment,
    Pole,
    Polyline,
    RoadBoundary,
    Scene,
    StopLine,
    TrafficLight,
    TrafficSign,
)
from scenegraph.arrays import FloatArray
from scenegraph.formats.lane_paint import Mark, mirrored

from ..errors import ScenarioError
from ..spelling import nearest
from .ground import Ground
from .schema_edits import AddLine, AddSign, MapLayer, MoveElement, Region, RemoveElements, RepaintLine
from .world import World

_PLATE_THICKNESS_M = 0.05
_STEP_M = 2.0
_AT_EDGE_M, _AT_EDGE_SHARE = 0.5, 0.5


# -- elements ------------------------------------------------------------------------------------------


def move_element(edit: MoveElement, world: World) -> Scene:
    """Move an element ahead and left as the ego faces at the start; it stays as high above the road, plus ``z_m``."""
    hdmap = world.scene.hdmap
    element = _element(hdmap, edit.layer, edit.id)
    move_m = _flat(world.ego_start).rotation @ np.array([edit.x_m, edit.y_m, edit.z_m])
    ground = ground_of(world.scene)
    if isinstance(element, TrafficLight | TrafficSign):
        place_m = carried(element.world_from_box.translation_m[None], move_m, ground)[0]
        moved: Any = replace(element, world_from_box=SE3(element.world_from_box.rotation, place_m))
    else:
        moved = replace(element, polyline=Polyline(carried(element.polyline.points_m, move_m, ground)))
    return _with_layer(world.scene, edit.layer, _replaced(getattr(hdmap, edit.layer), moved))


def remove_elements(edit: RemoveElements, world: World) -> Scene:
    """Take out elements that are named or come into the region, or the whole layer where neither is given."""
    hdmap = world.scene.hdmap
    elements = getattr(hdmap, edit.layer)
    gone = {_element(hdmap, edit.layer, name).id for name in edit.ids}
    if edit.region is not None:
        near = hdmap.near(place_of_region(edit.region, world), edit.region.radius_m)
        gone |= {element.id for element in getattr(near, edit.layer)}
    elif not edit.ids:
        gone = {element.id for element in elements}
    return _with_layer(world.scene, edit.layer, tuple(element for element in elements if element.id not in gone))


def add_line(edit: AddLine, world: World) -> Scene:
    """Paint a line, or build a kerb, on the road through points around the ego's start."""
    _require_new(world.scene.hdmap, edit.layer, edit.id)
    is_outline = edit.layer == "crosswalks"
    if is_outline and (len(edit.points) < 3 or edit.points[0] == edit.points[-1]):
        raise ScenarioError(f"points: crosswalk {edit.id!r} needs three corners or more, the first one not repeated")
    corners = np.array([(x, y, 0.0) for x, y in edit.points])
    line = Polyline(corners).densified(_STEP_M)
    if not line.length_m > 0:
        raise ScenarioError(f"points: {edit.id!r} has no length, all points are the same. Give two places")
    points_m = _laid(_flat(world.ego_start).apply(line.points_m), ground_of(world.scene))
    element = _line_element(edit, Polyline(points_m))
    return _with_layer(world.scene, edit.layer, (*getattr(world.scene.hdmap, edit.layer), element))


def add_sign(edit: AddSign, world: World) -> Scene:
    """Put up a square plate that faces the ego's start, on a post of its own."""
    hdmap, post = world.scene.hdmap, f"{edit.id}-post"
    _require_new(hdmap, "traffic_signs", edit.id)
    _require_new(hdmap, "poles", post)
    foot_m = _laid(_flat(world.ego_start).apply(np.array([[edit.x_m, edit.y_m, 0.0]])), ground_of(world.scene))[0]
    to_ego_m = world.ego_start.translation_m - foot_m
    up = np.array([0.0, 0.0, 1.0])
    pose = SE3.from_yaw(np.arctan2(to_ego_m[1], to_ego_m[0]), foot_m + up * (edit.bottom_m + edit.size_m / 2))
    sign = TrafficSign(edit.id, pose, _PLATE_THICKNESS_M, edit.size_m, edit.size_m, edit.category)
    pole = Pole(post, Polyline(np.stack([foot_m, foot_m + up * (edit.bottom_m + edit.size_m)])))
    signs, poles = (*hdmap.traffic_signs, sign), (*hdmap.poles, pole)
    return replace(world.scene, hdmap=replace(hdmap, traffic_signs=signs, poles=poles))


def repaint_line(edit: RepaintLine, world: World) -> Scene:
    """Give a lane line another colour or style."""
    if edit.colour is None and edit.style is None:
        raise ScenarioError(f"repaint {edit.id!r}: neither colour nor style is given. Give one of them, or both")
    hdmap = world.scene.hdmap
    line = _element(hdmap, "lane_lines", edit.id)
    colour, style = edit.colour or line.colour, edit.style or line.style
    _require_paint(colour, style)
    repainted = replace(line, colour=colour, style=style)
    return _with_layer(world.scene, "lane_lines", _replaced(hdmap.lane_lines, repainted))


def _line_element(edit: AddLine, polyline: Polyline) -> LaneLine | RoadBoundary | Crosswalk | StopLine:
    if edit.layer == "lane_lines":
        _require_paint(edit.colour, edit.style)
        return LaneLine(edit.id, polyline, edit.colour, edit.style)
    if edit.layer == "road_boundaries":
        return RoadBoundary(edit.id, polyline, "curb")
    return Crosswalk(edit.id, polyline) if edit.layer == "crosswalks" else StopLine(edit.id, polyline)


def _require_paint(colour: str, style: str) -> None:
    """Refuse paint that would be drawn as if it were none."""
    from render.palette import LANE_LINE_STRANDS

    styles = [known for own, known in LANE_LINE_STRANDS if own == colour]
    if style not in styles:
        raise ScenarioError(
            f"{colour} lines have no style {style!r}{nearest(style, styles)}. Styles: {', '.join(styles)}"
        )


def _element(hdmap: HDMap, layer: MapLayer, name: str) -> Any:
    elements = {element.id: element for element in getattr(hdmap, layer)}
    if name not in elements:
        few = ", ".join(list(elements)[:12]) + (", ..." if len(elements) > 12 else "")
        raise ScenarioError(f"{layer}: there is no {name!r}{nearest(name, elements)}. Ids: {few or 'none'}")
    return elements[name]


def _require_new(hdmap: HDMap, layer: str, name: str) -> None:
    if any(element.id == name for element in getattr(hdmap, layer)):
        raise ScenarioError(f"{layer}: there is already an element {name!r}. Choose another id")


def _replaced(elements: Iterable[Any], new: Any) -> tuple[Any, ...]:
    return tuple(new if element.id == new.id else element for element in elements)


def _with_layer(scene: Scene, layer: MapLayer, elements: tuple[Any, ...]) -> Scene:
    """The scene with another layer; states of lights that went go too, and marks on lanes follow the lines."""
    changed: dict[str, Any] = {layer: elements}
    hdmap = replace(scene.hdmap, **changed)
    if layer == "lane_lines":
        hdmap = _with_marks(scene.hdmap, hdmap)
    lights = {light.id for light in hdmap.traffic_lights}
    states = {name: states for name, states in scene.light_states.items() if name in lights}
    return replace(scene, hdmap=hdmap, light_states=states)


# -- marks on the edges of lanes -----------------------------------------------------------------------


def _with_marks(before: HDMap, after: HDMap) -> HDMap:
    """Lanes with marks as the lines say, at those edges where a line came, went or changed.

    A line is at an edge when half of the edge or more lies within 0.5 m of it. Maps whose lanes list no marks at all
    go without them.
    """
    if not any(lane.left_mark or lane.right_mark for lane in before.lane_segments):
        return after
    old, new = set(before.lane_lines), set(after.lane_lines)
    changed = [line for line in (*before.lane_lines, *after.lane_lines) if (line in old) != (line in new)]
    lanes = tuple(_marked(lane, changed, after.lane_lines) for lane in after.lane_segments)
    return replace(after, lane_segments=lanes)


def _marked(lane: LaneSegment, changed: list[LaneLine], lines: tuple[LaneLine, ...]) -> LaneSegment:
    left, right = lane.left_mark, lane.right_mark
    if _line_at(lane.left, changed):
        left = _mark(lane.left, _line_at(lane.left, lines))
    if _line_at(lane.right, changed):
        right = _mark(lane.right, _line_at(lane.right, lines))
    is_same = (left, right) == (lane.left_mark, lane.right_mark)
    return lane if is_same else replace(lane, left_mark=left, right_mark=right)


def _line_at(edge: Polyline, lines: Iterable[LaneLine]) -> LaneLine | None:
    """The line that covers most of an edge, None where none covers half of it; among equals the nearest."""
    samples = shapely.points(edge.densified(_STEP_M).points_m[:, :2])
    best: tuple[float, float] = (_AT_EDGE_SHARE, -np.inf)
    found = None
    low, high = edge.points_m[:, :2].min(axis=0) - _AT_EDGE_M, edge.points_m[:, :2].max(axis=0) + _AT_EDGE_M
    for line in lines:
        points = line.polyline.points_m[:, :2]
        if (points.max(axis=0) < low).any() or (points.min(axis=0) > high).any():
            continue
        distances_m = shapely.distance(samples, shapely.LineString(points))
        rank = float((distances_m <= _AT_EDGE_M).mean()), -float(distances_m.mean())
        if rank >= best:
            best, found = rank, line
    return found


def _mark(edge: Polyline, line: LaneLine | None) -> Mark | None:
    """A line's paint as seen along an edge."""
    if line is None:
        return None
    ends = [line.polyline.locate(point)[0] for point in edge.points_m[[0, -1]]]
    paint = line.colour, line.style
    return paint if ends[1] >= ends[0] else mirrored(paint)


# -- places --------------------------------------------------------------------------------------------


def place_of_region(region: Region, world: World) -> FloatArray:
    """Centre [3] of a region in the world."""
    return _flat(world.ego_start).apply(np.array([region.x_m, region.y_m, 0.0]))


def ground_of(scene: Scene) -> Ground:
    """Heights of a scene's roads."""
    return Ground(scene.hdmap.lane_segments, scene.ego)


def carried(points_m: FloatArray, moves_m: FloatArray, ground: Ground) -> FloatArray:
    """Places [N,3] moved by [3] or [N,3], and as much up and down as the road goes."""
    moved: FloatArray = points_m + moves_m
    flat = np.concatenate([moved[:, :2], points_m[:, 2:]], axis=1)
    moved[:, 2] += ground.heights_m(flat) - ground.heights_m(points_m)
    return moved


def _laid(points_m: FloatArray, ground: Ground) -> FloatArray:
    """The same places [N,3] on the road."""
    return np.concatenate([points_m[:, :2], ground.heights_m(points_m)[:, None]], axis=1)


def _flat(pose: SE3) -> SE3:
    """A pose without pitch and roll."""
    return SE3.from_yaw(pose.yaw_rad, pose.translation_m)
