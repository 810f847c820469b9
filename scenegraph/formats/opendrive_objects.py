"""Objects and signals of an OpenDRIVE road. Repetitions become single objects, or one that runs on without gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..roads.network import OutlineCorner, RoadObject, Signal
from .opendrive_xml import XmlNode

_DYNAMIC = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def read_objects(node: XmlNode | None, road_length_m: float) -> tuple[RoadObject, ...]:
    """The objects of a road; what lies beyond its end is left out."""
    found = (thing for child in (node.all("object") if node else ()) for thing in _repeated(child))
    return tuple(thing for thing in found if thing.s_m <= road_length_m + 1e-6)


def read_signals(node: XmlNode | None) -> tuple[Signal, ...]:
    """The signals of a road."""
    return tuple(_signal(child) for child in (node.all("signal") if node else ()))


# -- objects ----------------------------------------------------------------------------------------


def _repeated(node: XmlNode) -> Iterator[RoadObject]:
    """An object as often as it stands there."""
    thing, repeats = _object(node), node.all("repeat")
    if not repeats:
        yield thing
    for repeat in repeats:
        yield from _repetition(thing, repeat)


def _repetition(thing: RoadObject, repeat: XmlNode) -> Iterator[RoadObject]:
    start_m, length_m, distance_m = (repeat.number(name) for name in ("s", "length", "distance"))

    def between(name: str, usual: float) -> tuple[float, float]:
        first = repeat.number(f"{name}Start", usual)
        return first, repeat.number(f"{name}End", first)

    t, z, height = between("t", thing.t_m), between("zOffset", thing.z_m), between("height", thing.height_m)
    if distance_m <= 0:
        yield replace(thing, s_m=start_m, t_m=t[0], z_m=z[0], height_m=height[0], end=(start_m + length_m, t[1]))
        return
    for along_m in np.arange(0.0, length_m + 1e-6, distance_m).tolist():
        share = along_m / max(length_m, 1e-9)
        t_m, z_m, height_m = (first + share * (last - first) for first, last in (t, z, height))
        moved = tuple(
            replace(c, u_m=c.u_m + start_m + along_m - thing.s_m) if c.is_on_road else c for c in thing.outline
        )
        yield replace(thing, s_m=start_m + along_m, t_m=t_m, z_m=z_m, height_m=height_m, outline=moved)


def _object(node: XmlNode) -> RoadObject:
    radius_m = node.number("radius", 0.0)
    return RoadObject(
        id=node.word("id", ""),
        kind=node.word("type", ""),
        s_m=node.number("s"),
        t_m=node.number("t"),
        z_m=node.number("zOffset", 0.0),
        heading_rad=node.number("hdg", 0.0),
        length_m=node.number("length", 2 * radius_m),
        width_m=node.number("width", 2 * radius_m),
        height_m=node.number("height", 0.0),
        outline=_outline(node),
        name=node.word("name", ""),
    )


def _outline(node: XmlNode) -> tuple[OutlineCorner, ...]:
    """The first outline of an object; a line that a marking makes as wide as a crosswalk becomes its rectangle."""
    groups = node.all("outlines")
    outlines = [outline for group in groups for outline in group.all("outline")] + node.all("outline")
    nodes = outlines[0].all("cornerLocal", "cornerRoad") if outlines else []
    corners = tuple(_corner(corner) for corner in nodes)
    markings = [marking for group in node.all("markings") for marking in group.all("marking")]
    for marking in markings:
        marking.ignore()
    if len(corners) == 2 and markings:
        return _widened(corners, max(marking.number("width", 0.0) for marking in markings))
    return corners if len(corners) > 2 else ()


def _corner(node: XmlNode) -> OutlineCorner:
    if node.tag == "cornerRoad":
        return OutlineCorner(node.number("s"), node.number("t"), node.number("dz", 0.0), is_on_road=True)
    return OutlineCorner(node.number("u"), node.number("v"), node.number("z", 0.0))


def _widened(ends: tuple[OutlineCorner, ...], width_m: float) -> tuple[OutlineCorner, ...]:
    """The rectangle of this width around a line."""
    one, other = (np.array([corner.u_m, corner.v_m]) for corner in ends)
    length_m = float(np.linalg.norm(other - one))
    if not length_m or not width_m:
        return ()
    aside = np.array([-(other - one)[1], (other - one)[0]]) * (width_m / 2 / length_m)
    places = (one - aside, other - aside, other + aside, one + aside)
    return tuple(replace(ends[0], u_m=float(place[0]), v_m=float(place[1])) for place in places)


# -- signals ----------------------------------------------------------------------------------------


def _signal(node: XmlNode) -> Signal:
    orientation = node.choice("orientation", ("+", "-", "none"), "none")
    value = node.word("value", "")
    return Signal(
        id=node.word("id"),
        s_m=node.number("s"),
        t_m=node.number("t"),
        z_m=node.number("zOffset", 0.0),
        orientation="+" if orientation == "+" else "-" if orientation == "-" else "none",
        is_dynamic=_DYNAMIC[node.choice("dynamic", _DYNAMIC, "no")],
        kind=node.word("type", ""),
        subkind=node.word("subtype", ""),
        country=node.word("country", ""),
        heading_rad=node.number("hOffset", 0.0),
        width_m=node.number("width", 0.0),
        height_m=node.number("height", 0.0),
        value=node.number("value") if value and value not in ("none", "-") else None,
        lanes=_validity(node),
        name=node.word("name", ""),
    )


def _validity(node: XmlNode) -> tuple[int, int] | None:
    spans = [(span.integer("fromLane"), span.integer("toLane")) for span in node.all("validity")]
    return (min(min(span) for span in spans), max(max(span) for span in spans)) if spans else None
