"""The map of an RDS-HQ clip: JSON labels, one document per layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..arrays import FloatArray
from ..hdmap import (
    Crosswalk,
    HDMap,
    LaneLine,
    LaneSegment,
    LightState,
    Pole,
    RoadBoundary,
    RoadMarking,
    StopLine,
    TrafficLight,
    TrafficSign,
)
from ..polyline import Polyline
from ..scene import LightTimeline
from ..se3 import SE3
from .dropped import Dropped
from .nvidia_names import majority_paint
from .rds_tar import find_archive
from .strict_json import Node

_NO_LANE = "-1"


@dataclass(frozen=True, eq=False)
class Label:
    """One labelled thing: its id in the layer, its shape, and its attributes by name."""

    id: str
    shape: Node
    attributes: dict[str, Node]

    def text(self, name: str) -> str:
        """The text or enum of an attribute, "" without it."""
        attribute = self.attributes.get(name)
        kind = next((k for k in ("text", "enum") if attribute and k in attribute), None)
        return attribute[kind].text() if attribute and kind else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """The list of an attribute, empty without it."""
        attribute = self.attributes.get(name)
        for kind in ("enumsList", "textList"):
            if attribute and kind in attribute and kind in attribute[kind]:
                return tuple(attribute[kind][kind].texts())
        return ()

    def flag(self, name: str) -> bool:
        """Whether an attribute is there and true."""
        attribute = self.attributes.get(name)
        return attribute is not None and "flag" in attribute and attribute["flag"].flag()

    def paint(self, colours: str, styles: str) -> tuple[str, str] | None:
        """The most frequent (colour, style) in upper case, None without any."""
        pair = majority_paint(self.texts(colours), self.texts(styles))
        return (pair[0].upper(), pair[1].upper()) if pair else None


def read_map(root: Path, clip: str, dropped: Dropped) -> HDMap:
    """Every layer that the folder has; elements with NaN or too few points are counted and left out."""
    layers: dict[str, tuple[str, str, _Reader]] = {
        "lane_segments": ("3d_lanes", "lanes", _lane),
        "lane_lines": ("3d_lanelines", "lanelines", _lane_line),
        "road_boundaries": ("3d_road_boundaries", "road_boundaries", _road_boundary),
        "crosswalks": ("3d_crosswalks", "crosswalks", _crosswalk),
        "stop_lines": ("3d_wait_lines", "wait_lines", _stop_line),
        "poles": ("3d_poles", "poles", _pole),
        "road_markings": ("3d_road_markings", "road_markings", _road_marking),
        "traffic_lights": ("3d_traffic_lights", "traffic_lights", _traffic_light),
        "traffic_signs": ("3d_traffic_signs", "traffic_signs", _traffic_sign),
    }
    read: dict[str, Any] = {layer: [] for layer in layers}
    for layer, (attribute, document, element_of) in layers.items():
        for label in _labels(root, clip, attribute, document):
            try:
                read[layer].append(element_of(label))
            except _Flaw as flaw:
                dropped.add(layer, str(flaw))
    return HDMap(**read)


def read_lights(root: Path, clip: str, frames: int, time_of: Callable[[int], int]) -> dict[str, LightTimeline]:
    """What the traffic lights show, by light id; ``time_of`` gives the microseconds of a frame.

    A sequence that ends before the clip does is unknown from there on.
    """
    archive = find_archive(root, "3d_traffic_lights_status", clip)
    if archive is None:
        return {}
    by_feature = {}
    for entry in archive.json("aggregated_states.json")["traffic_light_states"].fields().values():
        states = [_state(item) for item in entry["state"].items()]
        if len(states) < frames:
            states.append(LightState.UNKNOWN)
        by_feature[entry["feature_id"].text()] = _changes(states, time_of)
    labels = _labels(root, clip, "3d_traffic_lights", "traffic_lights")
    return {label.id: by_feature[f] for label in labels if (f := label.text("feature_id")) in by_feature}


def _state(item: Node) -> LightState:
    word = item.text().lower()
    if word not in set(LightState):
        raise item.error(f"unknown state {word}", f"Allowed are {', '.join(LightState)}.")
    return LightState(word)


def _changes(states: list[LightState], time_of: Callable[[int], int]) -> LightTimeline:
    """The states of all frames (one at least), kept only where they change."""
    changes = [i for i, state in enumerate(states) if i == 0 or state != states[i - 1]]
    return LightTimeline(np.array([time_of(i) for i in changes]), tuple(states[i] for i in changes))


# -- labels ---------------------------------------------------------------------------------------


def _labels(root: Path, clip: str, attribute: str, document: str) -> list[Label]:
    archive = find_archive(root, attribute, clip)
    if archive is None:
        return []
    labels = archive.json(f"{document}.json", f"3d_{document}.json")["labels"].items()
    shapes = [label["labelData"]["shape3d"] for label in labels if not _is_empty(label)]
    attributes = [_attributes(shape) for shape in shapes]
    found = [Label("", shape, named) for shape, named in zip(shapes, attributes, strict=True)]
    features = Counter(label.text("feature_id") for label in found)
    return [Label(_id(label, row, features), label.shape, label.attributes) for row, label in enumerate(found)]


def _is_empty(label: Node) -> bool:
    data = label["labelData"]
    return "emptyLabel" in data and data["emptyLabel"].flag()


def _attributes(shape: Node) -> dict[str, Node]:
    return {a["name"].text(): a for a in shape["attributes"].items()} if "attributes" in shape else {}


def _id(label: Label, row: int, features: Counter[str]) -> str:
    """The feature id where it names this element alone, else its row."""
    feature = label.text("feature_id")
    return feature if feature and features[feature] == 1 else f"row {row}"


# -- elements -------------------------------------------------------------------------------------


class _Flaw(Exception):  # noqa: N818  (it carries a reason to the loop over elements and never leaves this file)
    """Why an element of the map cannot be used."""


_Reader: TypeAlias = Callable[[Label], Any]


def _lane(label: Label) -> LaneSegment:
    rails = label.shape["polylines3d"]["polylines"].items()
    if len(rails) != 2:
        raise label.shape["polylines3d"]["polylines"].error(f"{len(rails)} polylines", "Left and right are needed.")
    left, right = (_polyline(rail["vertices"]) for rail in rails)
    return LaneSegment(
        label.id,
        left,
        right,
        left_mark=label.paint("left_edge_colors", "left_edge_styles"),
        right_mark=label.paint("right_edge_colors", "right_edge_styles"),
        predecessors=label.texts("previous_lane_ids"),
        successors=label.texts("next_lane_ids"),
        left_neighbour=_neighbour(label.text("left_lane_id")),
        right_neighbour=_neighbour(label.text("right_lane_id")),
        lane_type=" ".join(label.texts("use_types")),
    )


def _neighbour(lane_id: str) -> str | None:
    return lane_id if lane_id not in ("", _NO_LANE) else None


def _lane_line(label: Label) -> LaneLine:
    paint = label.paint("colors", "styles") or ("WHITE", "SOLID_SINGLE")
    return LaneLine(label.id, _line(label), *paint)


def _road_boundary(label: Label) -> RoadBoundary:
    return RoadBoundary(label.id, _line(label), label.text("boundary_type"))


def _stop_line(label: Label) -> StopLine:
    return StopLine(label.id, _line(label), label.text("type"), label.flag("is_implicit"))


def _pole(label: Label) -> Pole:
    return Pole(label.id, _line(label))


def _crosswalk(label: Label) -> Crosswalk:
    return Crosswalk(label.id, _outline(label))


def _road_marking(label: Label) -> RoadMarking:
    return RoadMarking(label.id, _outline(label), label.text("road_marking_class"))


def _traffic_light(label: Label) -> TrafficLight:
    return TrafficLight(label.id, *_box(label))


def _traffic_sign(label: Label) -> TrafficSign:
    return TrafficSign(label.id, *_box(label), label.text("sign_class"))


def _line(label: Label) -> Polyline:
    return _polyline(label.shape["polyline3d"]["vertices"])


def _outline(label: Label) -> Polyline:
    """The outline, ending before its first point comes again."""
    outline = _polyline(label.shape["surface"]["vertices"])
    points = outline.points_m
    return Polyline(points[:-1]) if len(points) > 3 and (points[0] == points[-1]).all() else outline


def _polyline(vertices: Node) -> Polyline:
    points = vertices.points()
    if len(points) < 2:
        raise _Flaw("fewer than 2 points")
    if not np.isfinite(points).all():
        raise _Flaw("NaN")
    return Polyline(points)


def _box(label: Label) -> tuple[SE3, float, float, float]:
    corners = label.shape["cuboid3d"]["vertices"].points(8, 3)
    if not np.isfinite(corners).all():
        raise _Flaw("NaN")
    return _box_from_corners(corners)


def _box_from_corners(corners_m: FloatArray) -> tuple[SE3, float, float, float]:
    """world_from_box, length, width and height of a cuboid given as NVIDIA orders its corners [8,3].

    Corner 0 to 3 runs along x, 0 to 1 along y, 0 to 4 along z. Axes are made orthogonal starting from x; z is
    theirs up to sign, which makes no other cuboid.
    """
    edges_m = corners_m[[3, 1, 4]] - corners_m[0]
    lengths_m = np.linalg.norm(edges_m, axis=1)
    if lengths_m.min() < 1e-9:
        raise _Flaw("an edge of no length")
    x_axis = edges_m[0] / lengths_m[0]
    y_axis = edges_m[1] - (edges_m[1] @ x_axis) * x_axis
    if np.linalg.norm(y_axis) < 1e-9:
        raise _Flaw("parallel edges")
    y_axis /= np.linalg.norm(y_axis)
    rotation = np.stack([x_axis, y_axis, np.cross(x_axis, y_axis)], axis=-1)
    length_m, width_m, height_m = lengths_m.tolist()
    return SE3(rotation, corners_m.mean(axis=0)), length_m, width_m, height_m
