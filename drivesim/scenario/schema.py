"""What a scenario file may hold. Units are in the names; ``kind`` chooses among variants; nothing unknown is allowed.

Lanes are counted from the ego's own at the start: ``ego+1`` is the next lane to its left that drives the same way,
``ego-1`` the next to its right, ``oncoming+1`` the nearest lane that drives the other way.
Times are seconds from the start of the scenario.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..yaml_files import FileModel
from .schema_actors import ActorFile, EgoFile, TrafficFile
from .schema_edits import EditFile
from .schema_sources import SourceFile
from .schema_variations import VariableName, VariableValue, VaryFile

Weather = Literal["clear", "cloudy", "overcast", "rain", "heavy_rain", "fog", "snow"]
TimeOfDay = Literal["dawn", "morning", "noon", "afternoon", "dusk", "night"]
Season = Literal["spring", "summer", "autumn", "winter"]
Place = Literal["city", "town", "village", "suburb", "motorway", "country_road", "industrial_area"]
RoadState = Literal["dry", "wet", "snowy", "icy"]
FindingKind = Literal[
    "collision", "duplicate", "size", "kinematics", "off_road", "wrong_way", "floating", "sunken", "missing_line",
    "red_light", "light_conflict", "born_in_view", "dies_in_view", "hidden_subject", "subject_seen", "blocked_camera",
    "camera_pose", "out_of_distribution", "not_checked",
]  # fmt: skip


class ConditionsFile(FileModel):
    """What it looks like; becomes prompts."""

    weather: Weather = "clear"
    time_of_day: TimeOfDay = "noon"
    season: Season | None = None
    place: Place | None = None
    road: RoadState | None = Field(None, description="By default what the weather makes of it.")


class PromptsFile(FileModel):
    """What is said to the generator instead of what the conditions say."""

    caption: str | None = Field(None, min_length=1, description="Instead of the caption made from the conditions.")
    add: str = Field("", description="Said after the caption.")
    cameras: dict[str, str] = Field(default_factory=dict, description="Prompts of single cameras.")
    negative: str | None = None
    templates: str | None = Field(None, description="A file of words for conditions, instead of the built-in one.")


class ChecksFile(FileModel):
    """Findings that this scenario means to have, such as ``collision``: they are listed but do not fail it."""

    allow: tuple[FindingKind, ...] = ()


class ScenarioFile(FileModel):
    """One scenario: where it comes from, what is changed, how it is filmed and what is said about it."""

    version: Literal[1]
    extends: str | None = Field(
        None, description="A scenario that this one changes: a file, from the folder of this one, or a built-in name."
    )
    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+=-]*$",
        description="letters, digits, _ . + = and -, not first a sign; by default the name of the file.",
    )
    description: str = ""
    about: str | None = Field(None, description="The actor it is about: must be seen by a camera.")
    duration_s: float = Field(8.0, gt=0, le=600)
    seed: int = Field(0, ge=0, lt=2**32)
    variables: dict[VariableName, VariableValue] = Field(
        default_factory=dict, description="Used as ${name}: a text that is nothing else takes the variable's type."
    )
    vary: VaryFile | None = Field(None, description="Makes many scenarios: variables take other values than their own.")
    source: SourceFile
    ego: EgoFile = EgoFile()
    actors: tuple[ActorFile, ...] = ()
    traffic: TrafficFile | None = None
    edits: tuple[EditFile, ...] = ()
    rig: str | None = Field(None, description="A built-in rig or a YAML file; by default the log's own cameras.")
    conditions: ConditionsFile = ConditionsFile()
    prompts: PromptsFile = PromptsFile()
    checks: ChecksFile = ChecksFile()
    model: Literal["cosmos-2b-joint", "cosmos-2b-neighbours"] = Field(
        "cosmos-2b-joint", description="What the generator was trained on decides about warnings."
    )
