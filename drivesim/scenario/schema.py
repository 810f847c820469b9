"""What a scenario file may hold. Units are in the names; ``kind`` chooses among variants; nothing unknown is allowed.

Lanes are counted from the ego's own at the start: ``ego+1`` is the next lane to its left that drives the same way,
``ego-1`` the next to its right, ``oncoming+1`` the nearest lane that drives the other way.
Times are seconds from the start of the scenario.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..yaml_files import FileModel
from .schema_actors import ActorFile, EgoFile, TrafficFile
from .schema_edits import EditFile
from .schema_sources import SourceFile

Weather = Literal["clear", "cloudy", "overcast", "rain", "heavy_rain", "fog", "snow"]
TimeOfDay = Literal["dawn", "morning", "noon", "afternoon", "dusk", "night"]
Season = Literal["spring", "summer", "autumn", "winter"]
Place = Literal["city", "town", "village", "suburb", "motorway", "country_road", "industrial_area"]
RoadState = Literal["dry", "wet", "snowy", "icy"]


class ConditionsFile(FileModel):
    """What it looks like; becomes prompts."""

    weather: Weather = "clear"
    time_of_day: TimeOfDay = "noon"
    season: Season | None = None
    place: Place | None = None
    road: RoadState | None = Field(None, description="By default what the weather makes of it.")


class PromptsFile(FileModel):
    """What is said to the generator instead of what the conditions say."""

    caption: str | None = Field(None, description="Instead of the caption made from the conditions.")
    add: str = Field("", description="Said after the caption.")
    cameras: dict[str, str] = Field(default_factory=dict, description="Prompts of single cameras.")
    negative: str | None = None
    templates: str | None = Field(None, description="A file of words for conditions, instead of the built-in one.")


class RangeFile(FileModel):
    """Evenly spaced numbers from start to stop, both included."""

    kind: Literal["range"]
    start: float
    stop: float
    count: int = Field(ge=1, le=10_000)


class SampleFile(FileModel):
    """Random numbers, the same for the same seed."""

    kind: Literal["sample"]
    low: float
    high: float
    count: int = Field(ge=1, le=10_000)
    seed: int = 0
    whole: bool = Field(False, description="Whole numbers only.")


class ListFile(FileModel):
    """Values one after the other."""

    kind: Literal["list"]
    values: tuple[Any, ...] = Field(min_length=1)


Values: TypeAlias = Annotated[RangeFile | SampleFile | ListFile, Field(discriminator="kind")]


class VaryFile(FileModel):
    """Many scenarios from one: every variable takes its values, in all combinations or side by side."""

    how: Literal["product", "zip"] = "product"
    variables: dict[str, Values] = Field(min_length=1)


class ChecksFile(FileModel):
    """Findings that this scenario means to have, such as ``collision``: they are listed but do not fail it."""

    allow: tuple[str, ...] = ()


class ScenarioFile(FileModel):
    """One scenario: where it comes from, what is changed, how it is filmed and what is said about it."""

    version: Literal[1]
    name: str | None = Field(None, description="By default the file's.")
    description: str = ""
    about: str | None = Field(None, description="The actor it is about: must be seen by a camera.")
    duration_s: float = Field(8.0, gt=0, le=600)
    seed: int = Field(0, ge=0, lt=2**32)
    variables: dict[str, float | int | str | bool] = Field(default_factory=dict)
    vary: VaryFile | None = None
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
