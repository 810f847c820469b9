"""What it looks like outside: weather, time of day, season, road and place, in the words of scenario files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from ..errors import RenderError

Weather = Literal["clear", "cloudy", "overcast", "rain", "heavy_rain", "fog", "snow"]
TimeOfDay = Literal["dawn", "morning", "noon", "afternoon", "dusk", "night"]
Season = Literal["spring", "summer", "autumn", "winter"]
RoadState = Literal["dry", "wet", "snowy", "icy"]
Place = Literal["city", "town", "village", "suburb", "motorway", "country_road", "industrial_area"]

_CHOICES: Final = {
    "weather": get_args(Weather),
    "time_of_day": get_args(TimeOfDay),
    "season": (None, *get_args(Season)),
    "road": (None, *get_args(RoadState)),
    "place": (None, *get_args(Place)),
}
_ROAD_BY_WEATHER: Final[dict[str, RoadState]] = {"rain": "wet", "heavy_rain": "wet", "snow": "snowy"}


@dataclass(frozen=True)
class Look:
    """The conditions of a scene.

    season, place: None where nothing is known. road: None for what the weather makes of it.
    """

    weather: Weather = "clear"
    time_of_day: TimeOfDay = "noon"
    season: Season | None = None
    road: RoadState | None = None
    place: Place | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                words = ", ".join(choice for choice in choices if choice)
                raise RenderError(f"look: there is no {name} {value!r}. Choose from: {words}.")

    @property
    def road_state(self) -> RoadState:
        """What the road is like, said or made by the weather."""
        return self.road or _ROAD_BY_WEATHER.get(self.weather, "dry")

    @property
    def is_night(self) -> bool:
        """Whether there is no daylight at all."""
        return self.time_of_day == "night"

    @property
    def has_lights_on(self) -> bool:
        """Whether vehicles and street lamps have their lights on."""
        return self.time_of_day in ("dawn", "dusk", "night") or self.weather in ("rain", "heavy_rain", "fog", "snow")

    @property
    def has_snow(self) -> bool:
        """Whether snow lies on the ground."""
        return self.weather == "snow" or self.road_state == "snowy"
