"""Changes to what the source holds. Each has an inverse, which ``diff`` reports."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ..yaml_files import FileModel
from .schema_actors import ActorClass, LaneName, PositiveM

MapLayer = Literal[
    "lane_lines", "road_boundaries", "crosswalks", "stop_lines", "poles", "road_markings", "traffic_signs",
    "traffic_lights",
]  # fmt: skip
Ids = Annotated[tuple[str, ...], Field(min_length=1)]


class Region(FileModel):
    """A circle around a place as seen from the ego at the start."""

    x_m: float = 0.0
    y_m: float = 0.0
    radius_m: PositiveM


class RemoveActors(FileModel):
    """Takes actors out."""

    kind: Literal["remove"]
    actors: Ids


class KeepOnly(FileModel):
    """Keeps only actors of these classes that ever come into the region, and the named ones anyway."""

    kind: Literal["keep_only"]
    classes: tuple[Literal["Car", "Truck", "Pedestrian", "Cyclist", "Others"], ...] = ()
    actors: tuple[str, ...] = ()
    region: Region | None = None


class ReplaceActor(FileModel):
    """Gives an actor another class or size; its wheels stay on the ground, its middle where it is."""

    kind: Literal["replace"]
    actor: str
    category: ActorClass | None = None
    length_m: PositiveM | None = None
    width_m: PositiveM | None = None
    height_m: PositiveM | None = None


class Retime(FileModel):
    """Lets an actor do everything later, or earlier below 0; what falls outside of the scene is cut off."""

    kind: Literal["retime"]
    actor: str
    later_s: float


class ShiftActor(FileModel):
    """Moves an actor's whole path, ahead and left as it faces at each place, along bends too."""

    kind: Literal["shift"]
    actor: str
    ahead_m: float = 0.0
    left_m: float = 0.0


class RescaleSpeed(FileModel):
    """Lets an actor travel its path faster or slower; it stands as long as before and starts where it did."""

    kind: Literal["rescale_speed"]
    actor: str
    factor: float = Field(gt=0, le=5)


class MoveElement(FileModel):
    """Moves a map element ahead and left as the ego faces at the start; it follows the height of the road."""

    kind: Literal["move_element"]
    layer: MapLayer
    id: str
    x_m: float = 0.0
    y_m: float = 0.0
    z_m: float = 0.0


class RemoveElements(FileModel):
    """Takes map elements out: all of a layer, or those named and those in a region."""

    kind: Literal["remove_elements"]
    layer: MapLayer
    ids: tuple[str, ...] = ()
    region: Region | None = None


class AddLine(FileModel):
    """Paints a line or builds a kerb through points as seen from the ego at the start."""

    kind: Literal["add_line"]
    layer: Literal["lane_lines", "road_boundaries", "crosswalks", "stop_lines"]
    id: str
    points: tuple[tuple[float, float], ...] = Field(min_length=2)
    colour: Literal["WHITE", "YELLOW"] = "WHITE"
    style: str = "SOLID_SINGLE"


class AddSign(FileModel):
    """Puts up a traffic sign on a post, facing the ego's start."""

    kind: Literal["add_sign"]
    id: str
    x_m: float
    y_m: float
    bottom_m: float = 2.0
    size_m: float = Field(0.75, gt=0)
    category: str = ""


class RepaintLine(FileModel):
    """Gives a lane line another colour or style."""

    kind: Literal["repaint"]
    id: str
    colour: Literal["WHITE", "YELLOW"] | None = None
    style: str | None = None


class CloseLane(FileModel):
    """Closes a lane with cones: a taper, then a row."""

    kind: Literal["close_lane"]
    lane: LaneName = "ego"
    from_m: float = Field(60.0, description="Ahead of the ego's start.")
    length_m: float = Field(60.0, gt=5, le=1000, description="Of the row, after the taper.")
    taper_m: float = Field(25.0, ge=0, le=300)
    spacing_m: float = Field(5.0, ge=1, le=20)


class ForceLights(FileModel):
    """Lets lights show one colour all the time; crossing lights show red to green or yellow.

    Without names: all lights, or for green and yellow those along the ego's way.
    """

    kind: Literal["force_lights"]
    lights: tuple[str, ...] = ()
    state: Literal["red", "yellow", "green", "off", "unknown"]


class LightPhase(FileModel):
    """From a time on, a state."""

    at_s: float = Field(ge=0)
    state: Literal["red", "yellow", "green", "off", "unknown"]


class ScheduleLights(FileModel):
    """Gives lights phases; at a junction, crossing traffic gets the opposite. Without names: along the ego's way."""

    kind: Literal["schedule_lights"]
    lights: tuple[str, ...] = ()
    phases: tuple[LightPhase, ...] = Field(min_length=1)
    opposing: bool = Field(True, description="Crossing traffic shows red while these show green or yellow.")


class MoveCamera(FileModel):
    """Moves a camera along the vehicle's axes and turns it about its own: pitch looks down, yaw left."""

    kind: Literal["move_camera"]
    camera: str
    x_m: float = 0.0
    y_m: float = 0.0
    z_m: float = 0.0
    roll_deg: float = 0.0
    pitch_deg: float = 0.0
    yaw_deg: float = 0.0


class RemoveCamera(FileModel):
    """Takes a camera off."""

    kind: Literal["remove_camera"]
    camera: str


class AddCamera(FileModel):
    """Adds a camera of a rig file or built-in rig."""

    kind: Literal["add_camera"]
    rig: str
    camera: str
    name: str | None = None


class SwapLens(FileModel):
    """Gives a camera the lens and picture size of a camera of another rig."""

    kind: Literal["swap_lens"]
    camera: str
    rig: str
    from_camera: str


class JitterRig(FileModel):
    """Turns and moves every camera a little at random, as calibration errs."""

    kind: Literal["jitter_rig"]
    rotation_deg: float = Field(0.3, ge=0, le=10, description="Standard deviation about each axis.")
    position_m: float = Field(0.01, ge=0, le=0.5, description="Standard deviation along each axis.")
    seed: int | None = None


EditFile: TypeAlias = Annotated[
    RemoveActors | KeepOnly | ReplaceActor | Retime | ShiftActor | RescaleSpeed | MoveElement | RemoveElements | AddLine
    | AddSign | RepaintLine | CloseLane | ForceLights | ScheduleLights | MoveCamera | RemoveCamera | AddCamera
    | SwapLens | JitterRig,
    Field(discriminator="kind"),
]  # fmt: skip
