# ruff: noqa: E501 (one case a line reads as a table)
"""Scenes with one planted fault each, and sound ones that look as bold: what the checks are measured on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from checked_scenes import (
    FAR_ONCOMING,
    FAR_RIGHT,
    ONCOMING,
    RIGHT,
    TIMES_S,
    actor,
    bend,
    circling,
    crosswalk,
    cut,
    driving,
    edited,
    ego_drive,
    hill,
    keeping,
    rig,
    road,
    scene,
    slope,
    speeds,
    standing,
    swerve,
    walking,
    with_bridge,
    with_lights,
    without,
    without_lines,
)

from models.request import Regime
from scenegraph import SE3, Actor, Camera, CameraRig, LightState, Scene, Trajectory
from scenegraph.roads import crossing_scene

RED, GREEN, YELLOW = LightState.RED, LightState.GREEN, LightState.YELLOW


@dataclass(frozen=True)
class Case:
    """name. make: the scene. kind: of the planted fault, empty where there is none. actor: whose fault it is.
    options: further arguments of ``check_scene``."""

    name: str
    make: Callable[[], Scene]
    kind: str = ""
    actor: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def crossing(seconds: float = 8.0) -> Scene:
    """The built-in crossing, filmed."""
    return crossing_scene(seconds).with_rig(rig())


def _front() -> CameraRig:
    return rig(cameras=("camera_front_wide_120fov",))


def _turned(camera: Camera, yaw_deg: float = 0.0, pitch_deg: float = 0.0, **place_m: float) -> Camera:
    """A camera on another place of the vehicle, or turned."""
    turn = SE3.from_roll_pitch_yaw_deg([0.0, pitch_deg, yaw_deg], np.zeros(3)).rotation
    place = camera.ego_from_camera.translation_m.copy()
    for axis, name in enumerate(("x", "y", "z")):
        place[axis] = place_m.get(name, place[axis])
    return replace(camera, ego_from_camera=SE3(turn @ camera.ego_from_camera.rotation, place))


def _rig_with(change: Callable[[Camera], Camera], which: int = 0) -> CameraRig:
    cameras = list(rig().cameras)
    cameras[which] = change(cameras[which])
    return CameraRig(tuple(cameras))


def _teleporting(by: tuple[float, float, float], at_s: float = 4.0, kind: str = "car") -> Actor:
    def change(centre: Any, yaw: Any) -> Any:
        centre[at_s <= TIMES_S] += by
        return centre, yaw

    return edited(driving("jumper", kind, x=25.0, y=FAR_RIGHT), change)


def _yaw_spike(rad: float, steps: int = 1) -> Actor:
    def change(centre: Any, yaw: Any) -> Any:
        yaw[40 : 40 + steps] += rad
        return centre, yaw

    return edited(driving("spinner", x=25.0, y=FAR_RIGHT), change)


def _sliding(y_of: Callable[[Any], Any], speed: float = 10.0, kind: str = "car") -> Actor:
    """Its heading stays along the road while it moves sideways."""
    x = 30.0 + speed * TIMES_S
    points = np.stack([x, y_of(TIMES_S), np.zeros_like(x)], axis=1)
    return actor("slider", kind, points, 0.0)


def _raised(of: Actor, z: float, from_s: float = 0.0, over_s: float = 1.0) -> Actor:
    def change(centre: Any, yaw: Any) -> Any:
        centre[:, 2] += z * np.clip((TIMES_S - from_s) / over_s, 0.0, 1.0) if from_s else z
        return centre, yaw

    return edited(of, change)


def _crossing_car(way: Any = None, speed: float = 9.0, name: str = "runner", start: float = 55.0) -> Actor:
    """From the north, straight over the crossing."""
    covered = speed * TIMES_S if way is None else way
    points = np.stack([np.full_like(covered, -1.75), start - covered, np.zeros_like(covered)], axis=1)
    return actor(name, "car", points, -math.pi / 2)


def _northern(of: Actor) -> Scene:
    """The crossing without who would be in the way of a car from the north."""
    quiet = without(crossing(), "northern car", "lead car", "passing car", "oncoming car", "oncoming lorry",
                    "northern pedestrian", "southern pedestrian", "southern car")  # fmt: skip
    ego = ego_drive(way=np.full_like(TIMES_S, -60.0), y=-5.25)
    return replace(quiet, actors=(*quiet.actors, of), ego=ego)


def _crowd_rig(count: int) -> CameraRig:
    base = rig().cameras[0]
    return CameraRig(tuple(replace(_turned(base, yaw_deg=i * 30.0, x=i * 0.1), name=f"c{i}") for i in range(count)))


def _still_ego(x: float = 0.0, y: float = RIGHT) -> Trajectory:
    return ego_drive(way=np.full_like(TIMES_S, x), y=y)


def _pass_by(y: float, back: bool = False) -> Actor:
    return driving("passer", x=200.0 if back else -40.0, y=y, speed=60.0, back=back)


FAULTS: tuple[Case, ...] = (
    # collisions
    Case("overlapping spawn", lambda: scene(driving("a"), driving("b", x=32.0)), "collision", "a"),
    Case("spawn overlaps sideways", lambda: scene(driving("a"), driving("b", x=31.0, y=-3.4)), "collision", "a"),
    Case("spawn inside the ego", lambda: scene(driving("a", x=3.0)), "collision", "a"),
    Case("rear-end at speed", lambda: scene(driving("a", way=speeds((2.0, -8.0), start=10.0))), "collision", "a"),
    Case("swept between instants", lambda: scene(_pass_by(RIGHT), standing("post", "debris", 23.0, RIGHT)), "collision", "passer"),
    Case("head-on between instants", lambda: scene(
        driving("passer", x=-47.0, y=ONCOMING, speed=60.0), driving("other", x=203.0, y=ONCOMING + 1.0, speed=60.0, back=True)
    ), "collision", "passer"),
    Case("pedestrian run over", lambda: scene(driving("a", x=20.0), walking("p", (60.0, -7.0), (0.0, 1.31))), "collision", "a"),
    Case("cyclist brushes a lorry", lambda: scene(driving("t", "truck"), driving("c", "cyclist", x=31.0, y=RIGHT - 1.5)), "collision", "t"),
    Case("car under the deck of a bridge too low", lambda: scene(
        driving("tall", "truck", x=20.0), actor("above", "car", np.repeat([[60.0, RIGHT, 3.2]], 81, axis=0), math.pi / 2),
        hdmap=with_bridge(road(), 3.2),
    ), "collision", "tall"),
    Case("turned boxes touch with a corner", lambda: scene(
        standing("a", "bus", 60.0, FAR_RIGHT, yaw=0.5), standing("b", "car", 64.5, RIGHT - 0.3, yaw=-0.4)
    ), "collision", "a"),
    Case("the same car twice", lambda: scene(driving("a"), driving("b", x=30.1, y=RIGHT + 0.05)), "duplicate", "a"),
    Case("the same person twice", lambda: scene(walking("a", (40.0, -9.0), (1.0, 0.0)), walking("b", (40.1, -9.0), (1.0, 0.0))), "duplicate", "a"),
    # sizes
    Case("giant pedestrian", lambda: scene(standing("p", "pedestrian", 40.0, -9.0, size_m=(0.6, 0.6, 3.5))), "size", "p"),
    Case("matchbox car", lambda: scene(standing("a", "car", 40.0, FAR_RIGHT, size_m=(0.9, 0.4, 0.3))), "size", "a"),
    Case("car as wide as the road", lambda: scene(standing("a", "car", 60.0, 0.0, size_m=(4.6, 6.0, 1.5))), "size", "a"),
    # motion
    Case("teleport 5 m ahead", lambda: scene(_teleporting((5.0, 0.0, 0.0))), "kinematics", "jumper"),
    Case("teleport 1.5 m sideways", lambda: scene(_teleporting((0.0, 1.5, 0.0))), "kinematics", "jumper"),
    Case("teleport at the first step", lambda: scene(_teleporting((4.0, 0.0, 0.0), at_s=0.1)), "kinematics", "jumper"),
    Case("pedestrian teleports 1 m", lambda: scene(edited(walking("p", (40.0, -9.0), (1.2, 0.0)), lambda c, y: (
        c + np.where(TIMES_S >= 3.0, 1.0, 0.0)[:, None] * [1.0, 0.0, 0.0], y
    ))), "kinematics", "p"),
    Case("brakes with 30 m/s²", lambda: scene(driving("a", x=80.0, way=speeds((3.0, -30.0), start=14.0))), "kinematics", "a"),
    Case("brakes with 14 m/s²", lambda: scene(driving("a", x=80.0, y=FAR_RIGHT, way=speeds((3.0, -14.0), start=14.0))), "kinematics", "a"),
    Case("lorry brakes like a racing car", lambda: scene(driving("t", "truck", x=80.0, y=FAR_RIGHT, way=speeds((3.0, -11.0), start=14.0))), "kinematics", "t"),
    Case("accelerates with 12 m/s²", lambda: scene(driving("a", x=40.0, way=speeds((2.0, 12.0), (3.0, 0.0), start=8.0))), "kinematics", "a"),
    Case("pedestrian at 18 m/s", lambda: scene(walking("p", (20.0, -9.0), (18.0, 0.0))), "kinematics", "p"),
    Case("bicycle at 35 m/s", lambda: scene(driving("c", "cyclist", x=20.0, y=FAR_RIGHT, speed=35.0)), "kinematics", "c"),
    Case("crabwise lane change", lambda: scene(_sliding(lambda t: swerve(t, 2.0, 2.5, FAR_RIGHT, RIGHT))), "kinematics", "slider"),
    Case("slow crab", lambda: scene(_sliding(lambda t: FAR_RIGHT + 0.35 * t * 1.8, speed=6.0)), "kinematics", "slider"),
    Case("sideways parking", lambda: scene(_sliding(lambda t: FAR_RIGHT + 0.8 * np.clip(t - 1, 0, 3), speed=0.0)), "kinematics", "slider"),
    Case("yaw spike of one step", lambda: scene(_yaw_spike(0.6)), "kinematics", "spinner"),
    Case("backwards for half a second", lambda: scene(_yaw_spike(math.pi, 5)), "kinematics", "spinner"),
    Case("drives with its side ahead", lambda: scene(edited(driving("a", y=FAR_RIGHT), lambda c, y: (c, y + 0.5))), "kinematics", "a"),
    Case("lane change at 3 g", lambda: scene(driving("a", speed=25.0, y=lambda x: swerve(x, 70.0, 14.0, FAR_RIGHT, RIGHT))), "kinematics", "a"),
    Case("car turns on the spot", lambda: scene(edited(standing("a", "car", 60.0, FAR_RIGHT), lambda c, y: (c, y + 2.2 * np.clip(TIMES_S - 2, 0, 1.5)))), "kinematics", "a"),
    # road
    Case("off the road by 3 m", lambda: scene(driving("a", y=-10.2)), "off_road", "a"),
    Case("leaves the road", lambda: scene(driving("a", y=lambda x: swerve(x, 50.0, 40.0, FAR_RIGHT, -12.0))), "off_road", "a"),
    Case("over the corner of the crossing", lambda: replace(without(crossing(), "cone"), actors=(
        *without(crossing(), "cone").actors, actor("a", "car", np.stack([-24.0 + 3 * TIMES_S, np.full(81, -11.0), np.zeros(81)], 1), 0.0)
    )), "off_road", "a"),
    Case("ego off the road", lambda: scene(ego=ego_drive(y=-11.0)), "off_road", "ego"),
    Case("wrong way", lambda: scene(driving("a", x=150.0, y=FAR_RIGHT, back=True)), "wrong_way", "a"),
    Case("wrong way on the crossing", lambda: _northern(edited(_crossing_car(), lambda c, y: (c * [-1, 1, 1], y))), "wrong_way", "runner"),
    Case("ego against traffic", lambda: scene(ego=ego_drive(y=FAR_ONCOMING)), "wrong_way", "ego"),
    Case("floating 1 m", lambda: scene(_raised(driving("a"), 1.0)), "floating", "a"),
    Case("floating pedestrian 0.6 m", lambda: scene(_raised(walking("p", (40.0, -6.0), (0.0, 1.0)), 0.6)), "floating", "p"),
    Case("sunken to the axles", lambda: scene(_raised(driving("a"), -0.5)), "sunken", "a"),
    Case("sunken on a slope", lambda: scene(driving("a"), hdmap=road(slope), ego=ego_drive(height=slope)), "sunken", "a"),
    Case("takes off", lambda: scene(_raised(driving("a"), 1.5, from_s=4.0, over_s=2.0)), "floating", "a"),
    Case("flat track over a hill", lambda: scene(driving("a"), hdmap=road(hill), ego=ego_drive(height=hill)), "sunken", "a"),
    Case("lane line removed under an actor", lambda: scene(driving("a"), hdmap=without_lines(road(), "line-3.5")), "missing_line"),
    Case("centre line removed", lambda: scene(hdmap=without_lines(road(marked=False), "line0")), "missing_line"),
    Case("divider of the crossing removed", lambda: replace(crossing(), hdmap=without_lines(crossing().hdmap, "0-divider-right")), "missing_line"),
    # lights
    Case("runs a red light", lambda: _northern(_crossing_car()), "red_light", "runner"),
    Case("runs red after green", lambda: with_lights(_northern(_crossing_car()), arm1=[(0.0, GREEN), (2.0, YELLOW), (3.0, RED)], arm0=RED, arm2=RED, arm3=RED), "red_light", "runner"),
    Case("ego runs red", lambda: with_lights(crossing(), arm0=RED, arm2=RED), "red_light", "ego"),
    Case("all green", lambda: with_lights(crossing(), arm1=GREEN, arm3=GREEN), "light_conflict"),
    Case("greens overlap for a second", lambda: with_lights(crossing(), arm0=[(0.0, GREEN), (6.0, RED)], arm2=[(0.0, GREEN), (6.0, RED)], arm1=[(0.0, RED), (5.0, GREEN)]), "light_conflict"),
    # sight
    Case("hidden subject", lambda: scene(driving("bus", "bus", x=14.0), walking("p", (26.0, RIGHT), (10.0, 0.0)), cameras=_front()), "hidden_subject", "p", {"about": "p"}),
    Case("subject never in view", lambda: scene(driving("a", x=-40.0), cameras=_front()), "hidden_subject", "a", {"about": "a"}),
    Case("subject too far", lambda: scene(standing("p", "pedestrian", 340.0, -8.0), ego=_still_ego(-100.0)), "hidden_subject", "p", {"about": "p"}),
    Case("subject not there", lambda: scene(), "hidden_subject", "nobody", {"about": "nobody"}),
    Case("born in view", lambda: scene(cut(driving("a"), 3.0)), "born_in_view", "a"),
    Case("pedestrian born in view", lambda: scene(cut(walking("p", (40.0, -6.0), (0.0, 0.5)), 2.0)), "born_in_view", "p"),
    Case("dies in view", lambda: scene(cut(driving("a"), 0.0, 5.0)), "dies_in_view", "a"),
    Case("dies behind the ego in view of the rear", lambda: scene(cut(driving("a", x=-20.0), 0.0, 5.0)), "dies_in_view", "a"),
    Case("flickers", lambda: scene(replace(keeping(driving("a"), (TIMES_S < 4.0) | (TIMES_S > 5.0)), max_gap_us=300_000)), "dies_in_view", "a"),
    # sensors
    Case("blocked by a lorry", lambda: scene(driving("t", "truck", x=10.0)), "blocked_camera"),
    Case("side camera blocked", lambda: scene(driving("bus", "bus", x=2.6, y=RIGHT + 2.7, speed=10.0)), "blocked_camera"),
    Case("camera inside of an actor", lambda: scene(driving("a", x=2.0)), "blocked_camera"),
    Case("camera in the ground", lambda: scene(cameras=_rig_with(lambda c: _turned(c, z=-0.2))), "camera_pose"),
    Case("camera looks into the ground", lambda: scene(cameras=_rig_with(lambda c: _turned(c, pitch_deg=85.0, x=4.5), 6)), "camera_pose"),
    Case("camera looks at its own roof", lambda: scene(cameras=_rig_with(lambda c: _turned(c, pitch_deg=89.0, x=1.4, z=1.8), 6)), "camera_pose"),
    Case("camera looks into the sky", lambda: scene(cameras=_rig_with(lambda c: _turned(c, pitch_deg=-80.0), 6)), "camera_pose"),
    Case("two cameras in one place", lambda: scene(cameras=CameraRig((*rig().cameras, replace(rig().cameras[0], name="twin")))), "camera_pose"),
    # model
    Case("wrong fps", lambda: scene(), "out_of_distribution", "", {"regime": Regime(), "fps": 30.0}),
    Case("too few frames", lambda: scene(), "out_of_distribution", "", {"regime": Regime(clip_frames=93)}),
    Case("too many cameras", lambda: scene(cameras=_crowd_rig(12)), "out_of_distribution", "", {"regime": Regime()}),
    Case("more cameras than known", lambda: scene(), "out_of_distribution", "", {"regime": Regime(known_views=5)}),
)  # fmt: skip


SOUND: tuple[Case, ...] = (
    Case("empty road", scene),
    Case("built-in crossing", crossing),
    Case("built-in crossing, 3 s", lambda: crossing(3.0)),
    Case("following with 9 m gap", lambda: scene(driving("a", x=17.0))),
    Case("queue with gaps of 1 m", lambda: scene(*(standing(f"q{i}", "car", 20.0 + 5.6 * i, FAR_RIGHT) for i in range(6)), standing("q", "car", 14.4, FAR_RIGHT))),
    Case("side by side with 0.6 m", lambda: scene(driving("t", "truck", y=RIGHT - 0.2), driving("c", y=FAR_RIGHT + 0.6 - 0.35))),
    Case("oncoming lorry", lambda: scene(driving("t", "truck", x=150.0, y=ONCOMING, back=True))),
    Case("emergency braking at 9 m/s²", lambda: scene(driving("a", x=60.0, y=FAR_RIGHT, way=speeds((2.0, -9.0), start=15.0)))),
    Case("lorry brakes with 6 m/s²", lambda: scene(driving("t", "truck", x=60.0, y=FAR_RIGHT, way=speeds((2.0, -6.0), start=15.0)))),
    Case("sports start", lambda: scene(driving("a", x=40.0, way=speeds((1.0, 4.5), (4.0, 0.0), start=2.0), y=FAR_RIGHT))),
    Case("stop and go", lambda: scene(driving("a", x=60.0, y=FAR_RIGHT, way=speeds((1.0, -4.0), (4.0, 0.0), (4.5, 2.5), start=9.0)))),
    Case("cut in 8 m ahead", lambda: scene(driving("a", x=12.0, speed=13.0, y=lambda x: swerve(x, 18.0, 40.0, FAR_RIGHT, RIGHT)))),
    Case("brisk lane change", lambda: scene(driving("a", speed=20.0, y=lambda x: swerve(x, 50.0, 45.0, FAR_RIGHT, RIGHT)))),
    Case("swerve around a child", lambda: scene(driving("a", x=25.0, speed=12.0, y=lambda x: swerve(x, 50.0, 28.0, FAR_RIGHT, FAR_RIGHT + 1.6)), walking("child", (84.0, -6.3), (0.0, 0.05), "child"))),
    Case("overtakes through the oncoming lane", lambda: scene(driving("slow", "truck", x=60.0, speed=8.0), driving("fast", x=30.0, speed=20.0, y=lambda x: swerve(x, 35.0, 35.0, RIGHT, ONCOMING) + swerve(x, 115.0, 35.0, 0.0, -3.5)))),
    Case("motorway speed", lambda: scene(driving("a", x=30.0, speed=38.0))),
    Case("motorcycle at 50 m/s", lambda: scene(driving("m", "motorcycle", x=-100.0, y=FAR_RIGHT, speed=50.0))),
    Case("bend at 20 m/s", lambda: scene(circling("a", 81.75, 20.0, 0.2), hdmap=bend(), ego=_ego_on_bend(81.75, 8.0))),
    Case("tight turn at 4 m/s", lambda: scene(circling("a", 8.0, 4.0), hdmap=bend(6.25), ego=_ego_on_bend(8.0, 0.001, start_rad=5.3), cameras=CameraRig(()))),
    Case("slope of 8 %", lambda: scene(driving("a", height=slope), driving("t", "bus", x=60.0, y=ONCOMING, back=True, height=slope), hdmap=road(slope), ego=ego_drive(height=slope))),
    Case("hill", lambda: scene(driving("a", height=hill), driving("b", "bus", x=120.0, y=ONCOMING, back=True, height=hill), hdmap=road(hill), ego=ego_drive(height=hill))),
    Case("car on a bridge, lorry below", lambda: scene(driving("t", "truck", x=20.0), actor("above", "car", np.stack([np.full(81, 60.0), -40.0 + 10 * TIMES_S, np.full(81, 6.5)], 1), math.pi / 2), hdmap=with_bridge(road()))),
    Case("pedestrian on the pavement", lambda: scene(walking("p", (30.0, -9.0), (1.4, 0.0), z=0.15))),
    Case("pedestrian crosses behind a car", lambda: scene(driving("a", x=30.0), walking("p", (36.0, -8.0), (0.0, 1.0)), hdmap=replace(road(), crosswalks=(crosswalk(35.0),)), ego=ego_drive(5.0, FAR_ONCOMING * 0 + RIGHT, way=speeds((0.5, -3.0), start=8.0)))),
    Case("runner", lambda: scene(walking("p", (30.0, -9.0), (6.0, 0.0)))),
    Case("child dashes and stops", lambda: scene(actor("child", "child", np.stack([np.full(81, 70.0), -9.0 + speeds((1.0, 2.5), (2.0, -3.0), start=0.0), np.zeros(81)], 1), math.pi / 2), ego=ego_drive(5.0))),
    Case("group of people 0.8 m apart", lambda: scene(*(walking(f"p{i}", (30.0, -8.5 - 0.8 * i), (1.3, 0.0)) for i in range(4)))),
    Case("pedestrian turns around", lambda: scene(actor("p", "pedestrian", np.stack([30 + np.hypot(TIMES_S - 4.0, 0.5), np.full(81, -9.0), np.zeros(81)], 1), np.where(TIMES_S < 4.0, math.pi, 0.0)))),
    Case("cyclist beside cars", lambda: scene(driving("c", "cyclist", x=25.0, y=-6.4, speed=5.5), driving("a", x=40.0, y=RIGHT))),
    Case("cyclist on the pavement", lambda: scene(driving("c", "cyclist", x=25.0, y=-8.6, speed=4.0))),
    Case("double-parked", lambda: scene(standing("a", "car", 70.0, FAR_RIGHT))),
    Case("parked half on the kerb", lambda: scene(standing("a", "car", 70.0, -6.9))),
    Case("cones along a lane", lambda: scene(*(standing(f"cone{i}", "cone", 40.0 + 5 * i, -3.7) for i in range(10)))),
    Case("barriers end to end", lambda: scene(*(standing(f"b{i}", "barrier", 40.0 + 2.05 * i, -7.0) for i in range(10)))),
    Case("lights change in turn", lambda: with_lights(_northern(standing("far", "car", 60.0, -5.25)), arm0=[(0.0, GREEN), (3.0, YELLOW), (5.0, RED)], arm2=[(0.0, GREEN), (3.0, YELLOW), (5.0, RED)], arm1=[(0.0, RED), (6.5, GREEN)], arm3=[(0.0, RED), (6.5, GREEN)])),
    Case("passes at green", lambda: with_lights(_northern(_crossing_car()), arm1=GREEN, arm3=GREEN, arm0=RED, arm2=RED)),
    Case("passes at yellow", lambda: with_lights(_northern(_crossing_car()), arm1=[(0.0, GREEN), (3.5, YELLOW), (6.5, RED)], arm3=RED, arm0=RED, arm2=RED)),
    Case("waits at red", lambda: _northern(_crossing_car(way=speeds((2.0, -3.0), start=9.0)))),
    Case("red while already on the crossing", lambda: with_lights(_northern(_crossing_car()), arm1=[(0.0, GREEN), (4.6, RED)], arm3=RED, arm0=RED, arm2=RED)),
    Case("oncoming greens", lambda: with_lights(crossing(), arm0=GREEN, arm2=GREEN, arm1=RED, arm3=RED)),
    Case("subject in plain view", lambda: scene(driving("a")), options={"about": "a"}),
    Case("occluded pedestrian steps out", lambda: scene(standing("van", "van", 52.0, FAR_RIGHT), walking("p", (57.0, -8.0), (0.0, 0.9)), ego=ego_drive(6.0)), options={"about": "p"}),
    Case("subject comes from behind", lambda: scene(driving("a", x=-40.0, y=ONCOMING - 7.0, speed=20.0)), options={"about": "a"}),
    Case("born far away", lambda: scene(cut(driving("a", x=320.0, y=ONCOMING, back=True), 2.0))),
    Case("born behind a lorry", lambda: scene(driving("t", "truck", x=25.0), cut(driving("a", x=42.0), 3.0), cameras=_front())),
    Case("dies behind the ego unseen", lambda: scene(cut(driving("a", x=-20.0), 0.0, 5.0), cameras=_front())),
    Case("bus alongside for a moment", lambda: scene(driving("bus", "bus", x=-25.0, y=ONCOMING - 0.1, speed=22.0, back=False), hdmap=_one_way()), options={"allow": ("wrong_way",)}),
    Case("lorry 9 m ahead", lambda: scene(driving("t", "truck", x=18.0))),
    Case("nuScenes rig", lambda: scene(driving("a"), cameras=rig("nuscenes-6"))),
    Case("Argoverse rig", lambda: scene(driving("a"), cameras=rig("argoverse-ring-7"))),
    Case("front camera only", lambda: scene(driving("a"), cameras=_front())),
    Case("no cameras", lambda: scene(driving("a"), cameras=CameraRig(()))),
    Case("as the model was trained", lambda: scene(driving("a")), options={"regime": Regime(known_views=7)}),
    Case("at 30 fps for a 30 fps model", lambda: scene(driving("a")), options={"regime": Regime(fps=30.0), "fps": 30.0}),
    Case("road without marks in its lanes", lambda: scene(driving("a"), hdmap=road(marked=False))),
    Case("long bus", lambda: scene(standing("bus", "bus", 60.0, FAR_RIGHT, size_m=(18.0, 2.55, 3.3)))),
    Case("small child", lambda: scene(standing("c", "child", 40.0, -9.0, size_m=(0.35, 0.35, 0.9)))),
    Case("meant collision", lambda: scene(driving("a"), driving("b", x=32.0)), options={"allow": ("collision",)}),
)  # fmt: skip


def _one_way() -> Any:
    """The road with all lanes in one direction."""
    base = road()
    lanes = [replace(lane, left=lane.right.reversed(), right=lane.left.reversed()) if number > 1 else lane
             for number, lane in enumerate(base.lane_segments)]  # fmt: skip
    return replace(base, lane_segments=tuple(lanes))


def _ego_on_bend(radius_m: float, speed: float, start_rad: float = 0.05) -> Trajectory:
    angle = start_rad + speed * TIMES_S / radius_m
    points = np.stack([radius_m * np.cos(angle), radius_m * np.sin(angle), np.zeros_like(angle)], axis=1)
    return Trajectory(np.round(TIMES_S * 1e6).astype(np.int64), SE3.from_yaw(angle + math.pi / 2, points))
