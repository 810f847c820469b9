"""OpenDRIVE maps, ``*.xodr``, versions 1.4 to 1.8: roads, lanes, paint, objects, signals, junctions.

    network = read_opendrive(Path("Town01.xodr"))
    hdmap = opendrive_map(Path("Town01.xodr"))

Read are all geometries of the plan, elevation, superelevation, lane offsets, lane widths, borders, heights and marks,
objects with outlines and repetitions, signals, controllers, junctions. What else a file holds (railways, lateral
shapes, surfaces, bridges, own data) is left out and counted in ``network.source["ignored"]``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..hdmap import HDMap
from ..roads.network import (
    Arc,
    Connection,
    Cubic,
    Junction,
    Line,
    ParamPoly3,
    PlanGeometry,
    PlanShape,
    Road,
    RoadLink,
    RoadNetwork,
    SignalGroup,
    Spiral,
)
from ..roads.surface import build_hdmap
from .opendrive_lanes import read_sections
from .opendrive_objects import read_objects, read_signals
from .opendrive_xml import XmlNode

_FAR_M = 10_000.0
_SHAPES = ("line", "arc", "spiral", "poly3", "paramPoly3")
_ENDS = ("start", "end")
_NO_JUNCTION = ("-1", "")


def opendrive_map(path: Path, step_m: float = 2.0) -> HDMap:
    """The map of a file; of a file far away from its origin the coordinates are moved, see ``read_opendrive``."""
    return build_hdmap(read_opendrive(path), step_m)


def read_opendrive(path: Path) -> RoadNetwork:
    """The road network of a file.

    Where any road begins further than 10 km from the file's origin, the middle of all of them, in whole metres, becomes
    the new one; ``origin_m`` says where it was. A missing header is no obstacle.
    """
    path = Path(path)
    root = XmlNode.load(path)
    if root.tag != "OpenDRIVE":
        raise root.error("this is no OpenDRIVE file", "The outermost element is OpenDRIVE.")
    header = root.first("header")
    network = RoadNetwork(
        roads=tuple(_road(node) for node in root.all("road")),
        junctions=tuple(_junction(node) for node in root.all("junction")),
        signal_groups=tuple(_controller(node) for node in root.all("controller")),
        name=(header.word("name", "") if header else "") or path.stem,
    )
    if not network.roads:
        raise root.error("there is no <road>", "A map needs at least one.")
    _require_sound(root, network)
    return replace(_near_origin(network), source=_source(root, header))


def _source(root: XmlNode, header: XmlNode | None) -> dict[str, str]:
    source = {"format": "opendrive"}
    if header is not None:
        version = ".".join(header.word(name, "?") for name in ("revMajor", "revMinor"))
        reference = header.first("geoReference")
        source |= {"version": version, "vendor": header.word("vendor", "")}
        source |= {"geo_reference": reference.text.strip() if reference else ""}
    ignored = ", ".join(f"{count} {name}" for name, count in sorted(root.unread().items()))
    return {key: value for key, value in (source | {"ignored": ignored}).items() if value}


def _near_origin(network: RoadNetwork) -> RoadNetwork:
    """The same network around its own middle, if it lies far away."""
    xy = np.array([(geometry.x_m, geometry.y_m) for road in network.roads for geometry in road.plan])
    if np.abs(xy).max() <= _FAR_M:
        return network
    x, y = np.round((xy.min(axis=0) + xy.max(axis=0)) / 2).tolist()
    roads = tuple(
        replace(road, plan=tuple(replace(g, x_m=g.x_m - x, y_m=g.y_m - y) for g in road.plan)) for road in network.roads
    )
    return replace(network, roads=roads, origin_m=(x, y, 0.0))


def _require_sound(root: XmlNode, network: RoadNetwork) -> None:
    """Ids are unique, and junctions lead to roads that exist."""
    roads: set[str] = set()
    for node in root.all("road"):
        if node.word("id") in roads:
            raise node.error("another road has the same id", "Ids of roads must be unique.")
        roads.add(node.word("id"))
    for node in root.all("junction"):
        for connection in node.all("connection"):
            for name in ("incomingRoad", "connectingRoad", "linkedRoad"):
                if name in connection.attributes and connection.word(name) not in roads:
                    raise connection.error(f"{name} {connection.word(name)} is not in the file", "Name a road of it.")


# -- roads ------------------------------------------------------------------------------------------


def _road(node: XmlNode) -> Road:
    link, junction = node.first("link"), node.word("junction", "-1")
    elevation, lateral, lanes = node.first("elevationProfile"), node.first("lateralProfile"), node.only("lanes")
    length_m = node.number("length")
    if not length_m > 0:
        raise node.error(f"the length is {length_m:g}", "A length above 0 is needed.")
    return Road(
        id=node.word("id"),
        length_m=length_m,
        plan=_plan(node.only("planView")),
        sections=read_sections(lanes, node.all("type")),
        elevation=_cubics(elevation, "elevation"),
        superelevation=_cubics(lateral, "superelevation"),
        lane_offset=_cubics(lanes, "laneOffset"),
        objects=read_objects(node.first("objects"), length_m),
        signals=read_signals(node.first("signals")),
        predecessor=_link(link.first("predecessor")) if link else None,
        successor=_link(link.first("successor")) if link else None,
        junction=None if junction in _NO_JUNCTION else junction,
        left_hand=node.choice("rule", ("RHT", "LHT"), "RHT") == "LHT",
        name=node.word("name", ""),
    )


def _cubics(node: XmlNode | None, tag: str) -> tuple[Cubic, ...]:
    """The pieces of a cubic by s, in order."""
    pieces = [
        Cubic(*(piece.number(name, 0.0 if name in "bcd" else None) for name in "sabcd"))
        for piece in (node.all(tag) if node else ())
    ]
    return tuple(sorted(pieces, key=lambda piece: piece.s_m))


def _link(node: XmlNode | None) -> RoadLink | None:
    if node is None or not node.word("elementId", ""):
        return None
    if node.choice("elementType", ("road", "junction"), "road") == "junction":
        return RoadLink("junction", node.word("elementId"))
    contact = node.choice("contactPoint", _ENDS)
    return RoadLink("road", node.word("elementId"), "start" if contact == "start" else "end")


def _plan(node: XmlNode) -> tuple[PlanGeometry, ...]:
    geometries = [
        PlanGeometry(
            s_m=geometry.number("s"),
            x_m=geometry.number("x"),
            y_m=geometry.number("y"),
            heading_rad=geometry.number("hdg"),
            length_m=geometry.number("length"),
            shape=_shape(geometry),
        )
        for geometry in node.all("geometry")
    ]
    if not geometries:
        raise node.error("there is no <geometry>", "A plan needs at least one.")
    return tuple(sorted(geometries, key=lambda geometry: geometry.s_m))


def _shape(geometry: XmlNode) -> PlanShape:
    found = geometry.all(*_SHAPES)
    if len(found) != 1:
        raise geometry.error(f"it holds {len(found)} shapes", f"One of {', '.join(_SHAPES)} is needed.")
    node = found[0]
    if node.tag == "arc":
        return Arc(node.number("curvature"))
    if node.tag == "spiral":
        return Spiral(node.number("curvStart"), node.number("curvEnd"))
    if node.tag == "poly3":
        return ParamPoly3((0.0, 1.0, 0.0, 0.0), _factors(node, "abcd", ""), is_function_of_u=True)
    if node.tag == "paramPoly3":
        is_normalised = node.choice("pRange", ("arcLength", "normalized"), "normalized") == "normalized"
        return ParamPoly3(_factors(node, "abcd", "U"), _factors(node, "abcd", "V"), is_normalised)
    return Line()


def _factors(node: XmlNode, letters: str, suffix: str) -> tuple[float, float, float, float]:
    a, b, c, d = (node.number(letter + suffix) for letter in letters)
    return a, b, c, d


# -- junctions --------------------------------------------------------------------------------------


def _junction(node: XmlNode) -> Junction:
    connections = (_connection(connection) for connection in node.all("connection"))
    found = tuple(connection for connection in connections if connection is not None)
    return Junction(node.word("id"), found, node.word("name", ""))


def _connection(node: XmlNode) -> Connection | None:
    """A way through; None for one without a road of its own or another to lead to (virtual connections)."""
    name = "linkedRoad" if "linkedRoad" in node.attributes else "connectingRoad"
    if name not in node.attributes or "incomingRoad" not in node.attributes:
        return None
    contact = node.choice("contactPoint", _ENDS)
    lanes = tuple((link.integer("from"), link.integer("to")) for link in node.all("laneLink"))
    return Connection(node.word("incomingRoad"), node.word(name), "start" if contact == "start" else "end", lanes)


def _controller(node: XmlNode) -> SignalGroup:
    signals = tuple(control.word("signalId") for control in node.all("control"))
    return SignalGroup(node.word("id"), signals, node.word("name", ""))
