from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from drivesim.errors import ScenarioError
from drivesim.scenario.edits import apply_edit
from drivesim.scenario.light_edits import cross, junctions, opposite_phases
from drivesim.scenario.schema_edits import EditFile
from drivesim.scenario.world import World
from scenegraph import SE3, LightState, Scene, TrafficLight
from scenegraph.roads import crossing_scene

_EDIT: TypeAdapter[EditFile] = TypeAdapter(EditFile)
_RED, _YELLOW, _GREEN, _OFF = LightState.RED, LightState.YELLOW, LightState.GREEN, LightState.OFF


def _edited(world: World, **fields: Any) -> Scene:
    return apply_edit(_EDIT.validate_python(fields), world, Path()).scene


def _refusal(world: World, **fields: Any) -> str:
    with pytest.raises(ScenarioError) as error:
        _edited(world, **fields)
    return str(error.value)


def _shown(scene: Scene, time_s: float) -> dict[str, str]:
    at = np.array([round(time_s * 1e6)])
    return {name: timeline.at(at)[0].value for name, timeline in scene.light_states.items()}


@pytest.fixture(scope="module")
def crossing() -> World:
    """Lights 0 and 2 are for the ego's road and green until 9 s, 1 and 3 cross it."""
    return World(crossing_scene(10.0), 0, 10.0)


def _all(even: str, odd: str) -> dict[str, str]:
    return {"0-light": even, "1-light": odd, "2-light": even, "3-light": odd}


def test_all_lights_show_red_when_no_light_is_named(crossing: World) -> None:
    scene = _edited(crossing, kind="force_lights", state="red")
    assert _shown(scene, 0.0) == _shown(scene, 9.9) == _all("red", "red")


def test_green_without_names_is_for_the_ego_and_red_for_those_who_cross(crossing: World) -> None:
    scene = _edited(crossing, kind="force_lights", state="green")
    assert _shown(scene, 9.9) == _all("green", "red")


def test_green_for_a_named_light_is_red_for_those_who_cross_it(crossing: World) -> None:
    scene = _edited(crossing, kind="force_lights", lights=["1-light"], state="green")
    assert _shown(scene, 1.0) == {"0-light": "red", "1-light": "green", "2-light": "red", "3-light": "red"}


def test_lights_that_cross_are_green_together_when_both_are_named(crossing: World) -> None:
    scene = _edited(crossing, kind="force_lights", lights=["0-light", "1-light"], state="green")
    assert _shown(scene, 1.0)["0-light"] == _shown(scene, 1.0)["1-light"] == "green"


def test_crossing_traffic_gets_green_after_red_for_all_and_yellow_before_it(crossing: World) -> None:
    phases = [{"at_s": 0.0, "state": "red"}, {"at_s": 8.0, "state": "green"}]
    scene = _edited(crossing, kind="schedule_lights", phases=phases)
    assert _shown(scene, 0.0) == _all("red", "green")
    assert _shown(scene, 3.9) == _all("red", "green")
    assert _shown(scene, 4.0) == _all("red", "yellow")
    assert _shown(scene, 7.0) == _all("red", "red")
    assert _shown(scene, 8.0) == _all("green", "red")


def test_lights_show_what_they_showed_until_the_first_phase(crossing: World) -> None:
    scene = _edited(crossing, kind="schedule_lights", phases=[{"at_s": 2.0, "state": "red"}])
    assert _shown(scene, 1.9) == _all("green", "red")
    assert _shown(scene, 2.5) == _all("red", "red")
    assert _shown(scene, 3.0) == _all("red", "green")


def test_crossing_traffic_that_has_green_gets_yellow_before_a_late_first_green(crossing: World) -> None:
    named = {"kind": "schedule_lights", "lights": ["1-light", "3-light"]}
    scene = _edited(crossing, **named, phases=[{"at_s": 6.0, "state": "green"}])
    assert _shown(scene, 1.9) == _all("green", "red")
    assert _shown(scene, 2.0) == _all("yellow", "red")
    assert _shown(scene, 5.0) == _all("red", "red")
    assert _shown(scene, 6.0) == _all("red", "green")


def test_without_opposing_all_lights_get_the_phases(crossing: World) -> None:
    phases = [{"at_s": 1.0, "state": "yellow"}]
    scene = _edited(crossing, kind="schedule_lights", opposing=False, phases=phases)
    assert _shown(scene, 1.0) == _all("yellow", "yellow")


def test_scenario_time_of_a_later_start_counts(crossing: World) -> None:
    later = World(crossing.scene, 2_000_000, 5.0)
    scene = _edited(later, kind="schedule_lights", phases=[{"at_s": 1.0, "state": "red"}])
    assert _shown(scene, 2.9)["0-light"] == "green" and _shown(scene, 3.0)["0-light"] == "red"


_STATES = st.sampled_from([_RED, _YELLOW, _GREEN, _OFF])
_PHASES = st.lists(st.tuples(st.floats(0.5, 12.0), _STATES), min_size=1, max_size=6)


@given(steps=_PHASES, before=_STATES)
def test_crossing_lights_never_pass_together_and_go_to_red_by_yellow(
    steps: list[tuple[float, LightState]], before: LightState
) -> None:
    starts = np.cumsum([0.0] + [length_s for length_s, _ in steps[:-1]]).tolist()
    phases = [(at_s, state) for at_s, (_, state) in zip(starts, steps, strict=True)]
    opposite = opposite_phases(phases, before)
    times = [at_s for at_s, _ in opposite]
    assert times == sorted(set(times)) and times[0] == 0.0

    def shown(rows: list[tuple[float, LightState]], time_s: float) -> LightState:
        return [state for at_s, state in rows if at_s <= time_s][-1]

    passing = {_GREEN, _YELLOW}
    for time_s in [*starts, *times, *np.arange(0.0, 80.0, 0.37).tolist()]:
        assert not {shown(phases, time_s), shown(opposite, time_s)} <= passing
    for (_, state), (_, following) in pairwise(opposite):
        assert (state, following) != (_GREEN, _RED)


def test_lights_are_at_one_junction_when_they_hang_near_each_other(crossing: World) -> None:
    lights = crossing.scene.hdmap.traffic_lights
    far = SE3.from_yaw(0.0, np.array([200.0, 0.0, 5.0]))
    more = (*lights, TrafficLight("far", far, 0.3, 0.3, 1.0))
    assert [[light.id for light in group] for group in junctions(more)] == [[light.id for light in lights], ["far"]]


@pytest.mark.parametrize(("yaw_deg", "crosses"), [(0, False), (180, False), (40, False), (50, True), (90, True)])
def test_lights_cross_when_they_hang_across(crossing: World, yaw_deg: float, crosses: bool) -> None:
    light = crossing.scene.hdmap.traffic_lights[0]
    turned = replace(light, world_from_box=SE3.from_yaw(math.radians(yaw_deg), np.zeros(3)))
    assert cross(light, turned) is crosses


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"kind": "force_lights", "lights": ["0-ligt"], "state": "red"},
            "there is no traffic light '0-ligt' (did you mean '0-light'?). Lights: 0-light, 1-light, 2-light, 3-light",
        ),
        (
            {"kind": "schedule_lights", "phases": [{"at_s": 2, "state": "red"}, {"at_s": 2, "state": "off"}]},
            "phases[1].at_s: 2 does not follow 2. Put phases in order",
        ),
        (
            {
                "kind": "schedule_lights",
                "lights": ["0-light", "1-light"],
                "phases": [{"at_s": 2, "state": "red"}],
            },
            "lights: 0-light, 1-light cross others that are named, so they cannot show the same. "
            "Name the lights of one direction, or set opposing: false",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(crossing: World, fields: dict[str, Any], said: str) -> None:
    assert _refusal(crossing, **fields) == said


def test_a_map_without_lights_has_none_to_set(crossing: World) -> None:
    dark = crossing.with_scene(_edited(crossing, kind="remove_elements", layer="traffic_lights"))
    said = "the map has no traffic lights, so none can be set. Leave out this edit"
    assert _refusal(dark, kind="force_lights", state="red") == said
