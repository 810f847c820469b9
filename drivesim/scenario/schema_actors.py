"""Who is in a scenario, where, and what they do."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ..yaml_files import FileModel

ActorClass = Literal[
    "car", "van", "truck", "bus", "trailer", "motorcycle", "cyclist", "pedestrian", "child", "animal",
    "emergency", "cone", "barrier", "debris",
]  # fmt: skip

LaneName = Annotated[
    str,
    Field(
        pattern=r"^(ego|oncoming)([+-][1-9])?$|^id:.+$",
        description="ego, ego+1 (left), ego-1 (right), oncoming, oncoming+1, or id: and the id of a lane.",
    ),
]
PositiveM = Annotated[float, Field(gt=0)]


# -- where -------------------------------------------------------------------------------------------


class OnLane(FileModel):
    """On a lane, so far ahead of where the ego starts."""

    kind: Literal["lane"]
    lane: LaneName = "ego"
    ahead_m: float = Field(30.0, ge=-2000, le=5000)
    lateral_m: float = Field(0.0, ge=-20, le=20, description="To the left of the lane's centre.")


class AtRoadside(FileModel):
    """Beside the road, so far ahead of the ego and beyond the edge of the paved surface."""

    kind: Literal["roadside"]
    side: Literal["left", "right"] = "right"
    ahead_m: float = Field(30.0, ge=-2000, le=5000)
    beyond_edge_m: float = Field(1.5, ge=-10, le=30)


class AtPose(FileModel):
    """At coordinates: of the world, or as seen from the ego at the start (x ahead, y left)."""

    kind: Literal["pose"]
    frame: Literal["world", "ego"] = "ego"
    x_m: float
    y_m: float
    yaw_deg: float = 0.0


PlaceFile: TypeAlias = Annotated[OnLane | AtRoadside | AtPose, Field(discriminator="kind")]


# -- what they do ------------------------------------------------------------------------------------


class StandStill(FileModel):
    """Stands still all the time: parked, or a thing."""

    kind: Literal["still"]


class KeepLane(FileModel):
    """Follows its lane at a speed."""

    kind: Literal["keep_lane"]
    speed_mps: float = Field(ge=0, le=80)
    turn: Literal["straight", "left", "right"] = Field("straight", description="At the next junction.")


class CutIn(FileModel):
    """Drives beside and changes to the ego's lane, ahead of it."""

    kind: Literal["cut_in"]
    at_s: float = Field(2.0, ge=0, description="When the lane change begins.")
    duration_s: float = Field(3.0, ge=1, le=15, description="Of the lane change.")
    gap_m: float = Field(8.0, ge=0.5, le=200, description="Bumper to bumper to the ego when it ends.")
    speed_mps: float | None = Field(None, ge=0, le=80, description="Afterwards; by default the ego's.")
    profile: Literal["smooth", "sharp"] = "smooth"


class CutOut(FileModel):
    """Drives ahead of the ego and leaves its lane, which shows what was hidden."""

    kind: Literal["cut_out"]
    at_s: float = Field(2.0, ge=0)
    duration_s: float = Field(2.5, ge=1, le=15)
    speed_mps: float = Field(ge=0, le=80)
    to: Literal["left", "right"] = "left"


class HardBrake(FileModel):
    """Follows its lane and brakes."""

    kind: Literal["hard_brake"]
    speed_mps: float = Field(gt=0, le=80)
    at_s: float = Field(2.0, ge=0)
    deceleration_mps2: float = Field(6.0, gt=0, le=9.5)
    to_mps: float = Field(0.0, ge=0, le=80)


class StopAndGo(FileModel):
    """Stops and starts again and again, as in a jam."""

    kind: Literal["stop_and_go"]
    speed_mps: float = Field(6.0, gt=0, le=30)
    drive_s: float = Field(4.0, gt=0.5)
    stand_s: float = Field(2.0, ge=0)


class Overtake(FileModel):
    """Comes from behind, passes on the next lane, and comes back ahead of the ego."""

    kind: Literal["overtake"]
    speed_mps: float = Field(gt=0, le=80)
    at_s: float = Field(1.0, ge=0)
    side: Literal["left", "right"] = "left"
    gap_m: float = Field(12.0, ge=1, le=200, description="To the ego when it comes back.")


class UTurn(FileModel):
    """Turns around over the oncoming lanes."""

    kind: Literal["u_turn"]
    speed_mps: float = Field(5.0, gt=0, le=10)
    at_s: float = Field(2.0, ge=0)
    radius_m: float = Field(5.5, ge=3, le=15)


class Jaywalk(FileModel):
    """Crosses the road where there is no crossing."""

    kind: Literal["jaywalk"]
    at_s: float = Field(1.0, ge=0)
    speed_mps: float = Field(1.4, gt=0, le=6)
    angle_deg: float = Field(90.0, ge=20, le=160, description="To the road's direction.")
    stop_after_m: float | None = Field(None, gt=0, description="Stops in the road.")


class StepOut(FileModel):
    """Stands hidden behind something and steps out in time to meet the ego."""

    kind: Literal["step_out"]
    behind: str = Field(description="Id of the actor that hides it.")
    speed_mps: float = Field(1.6, gt=0, le=6)
    meet_s: float = Field(3.0, gt=0, description="When it is in the middle of the ego's lane.")


class WrongWay(FileModel):
    """Drives against the direction of its lane."""

    kind: Literal["wrong_way"]
    speed_mps: float = Field(gt=0, le=60)


class EmergencyRun(FileModel):
    """Comes fast from behind, between lanes where need be."""

    kind: Literal["emergency"]
    speed_mps: float = Field(22.0, gt=0, le=60)
    weave_m: float = Field(0.8, ge=0, le=2)


class Waypoint(FileModel):
    """Where to be when; x ahead and y left of the ego's start."""

    at_s: float = Field(ge=0)
    x_m: float
    y_m: float


class FollowWaypoints(FileModel):
    """Goes from point to point on a smooth curve."""

    kind: Literal["waypoints"]
    points: tuple[Waypoint, ...] = Field(min_length=2)


class CopyTrack(FileModel):
    """Moves as an actor of another log moved, begun at its own place."""

    kind: Literal["copy_track"]
    path: str
    actor: str
    format: Literal["argoverse2", "clipgt", "nuscenes", "rds-hq", "scenarionet"] | None = None
    clip: str | None = None


BehaviourFile: TypeAlias = Annotated[
    StandStill | KeepLane | CutIn | CutOut | HardBrake | StopAndGo | Overtake | UTurn | Jaywalk | StepOut | WrongWay
    | EmergencyRun | FollowWaypoints | CopyTrack,
    Field(discriminator="kind"),
]  # fmt: skip


class ActorFile(FileModel):
    """One actor that is added."""

    id: str = Field(min_length=1)
    category: ActorClass = "car"
    length_m: PositiveM | None = None
    width_m: PositiveM | None = None
    height_m: PositiveM | None = None
    place: PlaceFile
    behaviour: BehaviourFile = StandStill(kind="still")
    reacts: bool = Field(False, description="Keeps its distance to what is ahead (IDM).")


# -- the ego -----------------------------------------------------------------------------------------


class EgoRecorded(FileModel):
    """Drives as in the log, sideways moved if wanted."""

    kind: Literal["recorded"]
    lateral_m: float = Field(0.0, ge=-10, le=10)
    speed_factor: float = Field(1.0, gt=0, le=3)


class EgoDrive(FileModel):
    """Follows its lane; at the next junction it turns."""

    kind: Literal["drive"]
    speed_mps: float = Field(12.0, ge=0, le=60)
    turn: Literal["straight", "left", "right"] = "straight"


class EgoChangeLane(FileModel):
    """Follows its lane and changes to another one."""

    kind: Literal["change_lane"]
    speed_mps: float = Field(ge=0, le=60)
    to: Literal["left", "right"]
    at_s: float = Field(2.0, ge=0)
    duration_s: float = Field(4.0, ge=1, le=15)


class SpeedPoint(FileModel):
    """A speed at a time."""

    at_s: float = Field(ge=0)
    speed_mps: float = Field(ge=0, le=60)


class EgoProfile(FileModel):
    """Follows its lane at speeds that change smoothly between points."""

    kind: Literal["profile"]
    points: tuple[SpeedPoint, ...] = Field(min_length=1)
    turn: Literal["straight", "left", "right"] = "straight"


EgoBehaviour: TypeAlias = Annotated[EgoRecorded | EgoDrive | EgoChangeLane | EgoProfile, Field(discriminator="kind")]


class EgoFile(FileModel):
    """Where the ego starts and how it drives."""

    lane: int = Field(0, ge=0, le=5, description="On a made road: lanes from the right edge.")
    station_m: float = Field(40.0, ge=0, le=5000, description="On a made road: metres after its beginning.")
    behaviour: EgoBehaviour | None = Field(None, description="By default as recorded, or driving at the limit.")


VehicleClass = Literal["car", "van", "truck", "bus", "motorcycle"]


def _usual_mix() -> dict[VehicleClass, float]:
    return {"car": 0.75, "van": 0.1, "truck": 0.1, "bus": 0.02, "motorcycle": 0.03}


class TrafficFile(FileModel):
    """Other vehicles, placed by a seed."""

    per_km: float = Field(15.0, ge=0, le=150, description="Vehicles per kilometre and lane.")
    mix: dict[VehicleClass, float] = Field(default_factory=_usual_mix, min_length=1)
    parked_per_km: float = Field(0.0, ge=0, le=150)
    pedestrians_per_km: float = Field(0.0, ge=0, le=200)
    reacts: bool = Field(True, description="Keeps its distance (IDM) and changes lanes (MOBIL).")
    seed: int | None = Field(None, description="By default the scenario's.")
