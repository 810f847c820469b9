"""The world before anything is changed: a recorded log, or a map or made road with the ego driving on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from scenegraph import Actor, CameraRig, HDMap, LaneGraph, Scene, SceneGraphError
from scenegraph.formats.opendrive import read_opendrive
from scenegraph.roads.network import Road, RoadNetwork
from scenegraph.roads.procedural import made_road
from scenegraph.roads.reference_line import road_point
from scenegraph.roads.road_spec import Curve, FourWay, Hill, Layout, Merge, RoadSpec, Roundabout, Straight, TJunction
from scenegraph.roads.surface import build_hdmap

from ..errors import DriveSimError, ScenarioError
from ..spelling import nearest
from .ego import drive_ego, redrive_ego
from .ground import Ground
from .loading import Scenario
from .schema_actors import EgoRecorded
from .schema_sources import LanePoint, LogSource, OpenDriveSource, RoadSource
from .world import World

_SLACK_US = 50_000
_FRAMES_PER_S = 30.0
_LAYOUTS: dict[str, type[Layout]] = {
    "straight": Straight,
    "curve": Curve,
    "hill": Hill,
    "t_junction": TJunction,
    "four_way": FourWay,
    "merge": Merge,
    "roundabout": Roundabout,
}


def base_world(scenario: Scenario, rig: Path | str | None = None) -> World:
    """The world of a scenario's source with the ego in it. rig: instead of the one it names."""
    source = scenario.file.source
    if isinstance(source, LogSource):
        return _with_ego(scenario, _recorded(scenario, source, rig))
    if isinstance(source, OpenDriveSource):
        return _on_map(scenario, source, rig)
    return _on_road(scenario, source, rig)


def refusal(scenario: Scenario, field: str, problem: object) -> ScenarioError:
    """What is wrong, with the place and name of the field."""
    return ScenarioError(f"{scenario.place_of(field)}  {field}: {problem}")


# -- logs ---------------------------------------------------------------------------------------------


def _recorded(scenario: Scenario, source: LogSource, rig: Path | str | None) -> World:
    """The log from its start to the end of the scenario; frames and cameras of that time only."""
    from ..sources import load_scene

    named = rig or scenario.file.rig
    try:
        scene = load_scene(
            scenario.folder_of("source.path") / source.path, kind=source.format, clip=source.clip, rig=named
        )
    except (DriveSimError, SceneGraphError) as error:
        raise refusal(scenario, "source.path", error) from error
    frames = scene.frame_timestamps_us
    first_us = scene.ego.first_us if frames is None else int(frames[0])
    last_us = scene.ego.last_us if frames is None else int(frames[-1])
    start_us = first_us + round(source.start_s * 1e6)
    end_us = start_us + round(scenario.file.duration_s * 1e6)
    if end_us > last_us + _SLACK_US:
        field = "duration_s" if start_us < last_us else "source.start_s"
        wanted_s = f"{source.start_s:g} to {source.start_s + scenario.file.duration_s:g} s are wanted"
        raise refusal(scenario, field, f"the log lasts {(last_us - first_us) / 1e6:.1f} s, and {wanted_s}")
    end_us = min(end_us, last_us)
    times = scene.frame_times_us(30.0) if frames is None else frames
    wanted = times[(times >= start_us) & (times <= end_us)]
    scene = replace(scene, frame_timestamps_us=wanted, actors=_near(scene, source.within_m))
    return World(scene, start_us, (end_us - start_us) / 1e6)


def _near(scene: Scene, within_m: float | None) -> tuple[Actor, ...]:
    """Actors that ever come this near to where the ego drives."""
    if within_m is None:
        return scene.actors
    way = scene.ego.world_from_body.translation_m[:, None, :2]
    return tuple(
        actor
        for actor in scene.actors
        if np.linalg.norm(way - actor.trajectory.world_from_body.translation_m[None, :, :2], axis=-1).min() <= within_m
    )


def _with_ego(scenario: Scenario, world: World) -> World:
    """The ego as the scenario wants it to drive, from where it is in the log."""
    behaviour = scenario.file.ego.behaviour
    if behaviour is None:
        return world
    try:
        if isinstance(behaviour, EgoRecorded):
            ego = redrive_ego(behaviour, world.scene.ego, world.start_us, world.duration_s)
        else:
            lane_id, station_m = world.ego_lane
            ego = drive_ego(
                behaviour,
                world.graph,
                lane_id,
                station_m,
                start_us=world.start_us,
                duration_s=world.duration_s,
                ground=world.ground,
            )
    except (DriveSimError, SceneGraphError) as error:
        raise refusal(scenario, "ego.behaviour", error) from error
    return world.with_scene(replace(world.scene, ego=ego))


# -- maps ---------------------------------------------------------------------------------------------


def _on_map(scenario: Scenario, source: OpenDriveSource, rig: Path | str | None) -> World:
    """An OpenDRIVE map with the ego on one of its lanes."""
    try:
        network = read_opendrive(scenario.folder_of("source.path") / source.path)
    except SceneGraphError as error:
        raise refusal(scenario, "source.path", error) from error
    hdmap = build_hdmap(network)
    try:
        start = _lane_at(network, LaneGraph(hdmap), source.start)
    except (DriveSimError, SceneGraphError) as error:
        raise refusal(scenario, "source.start", error) from error
    about = {"format": "opendrive", **network.source}
    world = _driven(scenario, hdmap, start, about, rig, any(road.left_hand for road in network.roads))
    origin_m = np.array(network.origin_m)
    return world.with_scene(replace(world.scene, world_origin_m=origin_m))


def _on_road(scenario: Scenario, source: RoadSource, rig: Path | str | None) -> World:
    """A road made to measure with the ego on it, its lights in a fixed cycle."""
    try:
        made = made_road(_spec(source))
    except SceneGraphError as error:
        raise refusal(scenario, "source", error) from error
    ego = scenario.file.ego
    try:
        start = made.start(ego.lane, ego.station_m)
    except SceneGraphError as error:
        raise refusal(scenario, "ego", error) from error
    about = {"format": "road", "licence": "Apache-2.0"}
    world = _driven(scenario, made.hdmap, start, about, rig, source.left_hand)
    states = made.light_states(round(scenario.file.duration_s * 1e6))
    return world.with_scene(replace(world.scene, light_states=states))


def _spec(source: RoadSource) -> RoadSpec:
    values = source.model_dump(exclude={"kind", "layout"})
    layout = _LAYOUTS[source.layout.kind](**source.layout.model_dump(exclude={"kind"}))
    return RoadSpec(layout=layout, **values)


def _driven(
    scenario: Scenario,
    hdmap: HDMap,
    start: tuple[str, float],
    about: dict[str, str],
    rig: Path | str | None,
    left_hand: bool,
) -> World:
    """A map with the ego driving on it from a lane and a station, filmed 30 times a second."""
    from ..rigs import find_rig, load_rig

    behaviour, duration_s = scenario.file.ego.behaviour, scenario.file.duration_s
    if isinstance(behaviour, EgoRecorded):
        raise refusal(scenario, "ego.behaviour", "there is no recorded drive here. Use drive, change_lane or profile")
    try:
        ego = drive_ego(
            behaviour,
            LaneGraph(hdmap),
            *start,
            start_us=0,
            duration_s=duration_s,
            ground=Ground(hdmap.lane_segments),
        )
    except (DriveSimError, SceneGraphError) as error:
        raise refusal(scenario, "ego", error) from error
    named = rig or scenario.file.rig
    cameras = CameraRig(()) if named is None else load_rig(find_rig(named))
    count = int(duration_s * _FRAMES_PER_S + 1e-9) + 1
    times_us = np.round(np.arange(count) * 1e6 / _FRAMES_PER_S).astype(np.int64)
    scene = Scene(scenario.name, hdmap, ego, rig=cameras, frame_timestamps_us=times_us, source=about)
    return World(scene, 0, duration_s, left_hand)


def _lane_at(network: RoadNetwork, graph: LaneGraph, start: LanePoint) -> tuple[str, float]:
    """The lane segment and the station on it that an OpenDRIVE road, lane and s mean."""
    roads = {road.id: road for road in network.roads}
    if start.road not in roads:
        raise ScenarioError(f"the map has no road {start.road!r}{nearest(start.road, list(roads))}")
    road = roads[start.road]
    if start.s_m > road.length_m:
        raise ScenarioError(f"road {road.id} is {road.length_m:.1f} m long, and s is {start.s_m:g} m")
    place = road_point(road, np.array([start.s_m]))[0]
    found = [graph[name] for name in _segments(road, start.lane) if name in graph]
    if not found:
        lanes = sorted({lane.id for section in road.sections for lane in section.lanes if lane.id})
        known = ", ".join(map(str, lanes))
        raise ScenarioError(f"road {road.id} has no lane {start.lane} to drive on. Its lanes: {known}")
    stations = [lane.centre.locate(place)[0] for lane in found]
    away_m = [
        float(np.linalg.norm((lane.centre.at(station) - place)[:2]))
        for lane, station in zip(found, stations, strict=True)
    ]
    best = int(np.argmin(away_m))
    return found[best].id, stations[best]


def _segments(road: Road, lane: int) -> list[str]:
    """Ids that the stretches of a lane may have in the map."""
    names = [f"{road.id}:{section}:{lane}" for section in range(len(road.sections))]
    return [*names, *(f"{name}.{letter}" for name in names for letter in "abcdefgh")]
