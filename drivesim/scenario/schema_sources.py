"""Where the world of a scenario comes from."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ..yaml_files import FileModel


class LogSource(FileModel):
    """A recorded log or a scene folder, of any format that can be read."""

    kind: Literal["log"]
    path: str = Field(description="From the folder of the scenario file.")
    format: Literal["argoverse2", "clipgt", "nuscenes", "rds-hq", "scenarionet"] | None = None
    clip: str | None = Field(None, description="Which clip or scene, where the folder holds several.")
    start_s: float = Field(0.0, ge=0)
    within_m: float | None = Field(None, gt=0, description="Leave out what never comes this near to the ego's path.")


class LanePoint(FileModel):
    """A place on a lane of an OpenDRIVE map."""

    road: str
    lane: int
    s_m: float = Field(ge=0)


class OpenDriveSource(FileModel):
    """An OpenDRIVE map; the ego starts on one of its lanes."""

    kind: Literal["opendrive"]
    path: str
    start: LanePoint


class StraightRoad(FileModel):
    """A straight road."""

    kind: Literal["straight"]
    length_m: float = Field(400.0, ge=50, le=5000)


class CurvedRoad(FileModel):
    """Straight, a curve with clothoids at both ends, straight."""

    kind: Literal["curve"]
    length_m: float = Field(400.0, ge=50, le=5000)
    radius_m: float = Field(120.0, ge=20, le=5000)
    angle_deg: float = Field(60.0, ge=-180, le=180, description="To the left.")


class HillyRoad(FileModel):
    """Up and down."""

    kind: Literal["hill"]
    length_m: float = Field(500.0, ge=100, le=5000)
    height_m: float = Field(10.0, ge=-60, le=60)


class TJunction(FileModel):
    """A road ends on another one."""

    kind: Literal["t_junction"]
    arm_m: float = Field(120.0, ge=40, le=500)
    lights: bool = False
    crosswalks: bool = True


class FourWayJunction(FileModel):
    """Two roads cross."""

    kind: Literal["four_way"]
    arm_m: float = Field(120.0, ge=40, le=500)
    lights: bool = True
    crosswalks: bool = True


class MergingRoad(FileModel):
    """A slip road joins from the right."""

    kind: Literal["merge"]
    length_m: float = Field(500.0, ge=200, le=2000)
    lane_m: float = Field(200.0, ge=80, le=400, description="Length of the acceleration lane.")


class Roundabout(FileModel):
    """Four arms on a ring."""

    kind: Literal["roundabout"]
    radius_m: float = Field(18.0, ge=10, le=60)
    arm_m: float = Field(120.0, ge=40, le=500)


Layout: TypeAlias = Annotated[
    StraightRoad | CurvedRoad | HillyRoad | TJunction | FourWayJunction | MergingRoad | Roundabout,
    Field(discriminator="kind"),
]


class RoadSource(FileModel):
    """A road made to measure, with the markings such roads have."""

    kind: Literal["road"]
    layout: Layout
    lanes: int = Field(2, ge=1, le=5, description="In the ego's direction.")
    oncoming_lanes: int = Field(1, ge=0, le=5)
    lane_width_m: float = Field(3.5, ge=2.4, le=5)
    speed_limit_mps: float = Field(13.9, gt=0, le=60)
    sidewalks: bool = True
    parking: bool = Field(False, description="A parking lane at the right edge.")
    left_hand: bool = Field(False, description="Traffic keeps left.")


SourceFile: TypeAlias = Annotated[LogSource | OpenDriveSource | RoadSource, Field(discriminator="kind")]
