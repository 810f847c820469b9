"""Laws of edits: whatever is done can be undone to the bit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from drivesim.errors import ScenarioError
from drivesim.rigs import find_rig, load_rig
from drivesim.scenario.edits import Edited, apply_edit, restore
from drivesim.scenario.scene_digest import content_digest, scene_digest
from drivesim.scenario.schema_edits import EditFile, MapLayer
from drivesim.scenario.world import World
from drivesim.sources import load_scene
from scenegraph import Scene
from scenegraph.roads import crossing_scene

_EDIT: TypeAdapter[EditFile] = TypeAdapter(EditFile)
_HERE = Path()
_KNOWN_DIGEST = "6f28b6ae77b4118ae82b62c11624bfffa15df0242c86dad4014801ba8353f17a"
_LANE_LINE_STYLES = ("SOLID_SINGLE", "LONG_DASHED_SINGLE", "SOLID_GROUP")


def _edit(**fields: Any) -> EditFile:
    return _EDIT.validate_python(fields)


def _world(scene: Scene, duration_s: float = 6.0) -> World:
    return World(scene, scene.ego.first_us, duration_s)


@pytest.fixture(scope="module")
def crossing() -> Scene:
    return crossing_scene(8.0).with_rig(load_rig(find_rig("cosmos-ftheta-7")))


@pytest.fixture(scope="module")
def argoverse(av2_log: Path) -> Scene:
    return load_scene(av2_log)


_metres = st.floats(-8.0, 8.0)
_regions = st.fixed_dictionaries({"x_m": _metres, "y_m": _metres, "radius_m": st.floats(0.5, 60.0)})


def _ids(scene: Scene, layer: str) -> list[str]:
    return [element.id for element in getattr(scene.hdmap, layer)]


def _random_edit(draw: st.DrawFn, scene: Scene, kind: str, number: int) -> dict[str, Any]:
    """An edit of a kind that names what the scene has."""
    actors = [actor.id for actor in scene.actors] or ["nobody"]
    layers = [layer for layer in get_args(MapLayer) if getattr(scene.hdmap, layer)] or ["poles"]
    layer = draw(st.sampled_from(layers))
    elements = _ids(scene, layer) or ["nothing"]
    lines = _ids(scene, "lane_lines") or ["nothing"]
    lights = _ids(scene, "traffic_lights")
    some_lights = draw(st.lists(st.sampled_from(lights), unique=True, max_size=2)) if lights else []
    actor, camera = draw(st.sampled_from(actors)), draw(st.sampled_from(scene.rig.names))
    states = st.sampled_from(["red", "yellow", "green", "off"])
    known_rig = {"rig": "cosmos-ftheta-7", "camera": "camera_front_wide_120fov", "name": f"added {number}"}
    fields: dict[str, dict[str, Any]] = {
        "remove": {"actors": draw(st.lists(st.sampled_from(actors), min_size=1, max_size=2))},
        "keep_only": {
            "classes": draw(st.lists(st.sampled_from(["Car", "Pedestrian"]))),
            "actors": actors[1::2],
            "region": draw(_regions),
        },
        "replace": {
            "actor": actor,
            "category": draw(st.sampled_from(["bus", "child", None])),
            "height_m": draw(st.floats(0.5, 4.0)),
        },
        "retime": {"actor": actor, "later_s": draw(st.floats(-3.0, 3.0))},
        "shift": {"actor": actor, "ahead_m": draw(_metres), "left_m": draw(_metres)},
        "rescale_speed": {"actor": actor, "factor": draw(st.floats(0.2, 3.0))},
        "move_element": {
            "layer": layer, "id": draw(st.sampled_from(elements)), "x_m": draw(_metres), "y_m": draw(_metres),
        },
        "remove_elements": {
            "layer": layer,
            "ids": draw(st.lists(st.sampled_from(elements), max_size=2)),
            "region": draw(st.none() | _regions),
        },
        "add_line": {"layer": "lane_lines", "id": f"line {number}", "points": [[5.0, draw(_metres)], [40.0, 3.0]]},
        "add_sign": {"id": f"sign {number}", "x_m": draw(st.floats(5.0, 30.0)), "y_m": draw(_metres)},
        "repaint": {"id": draw(st.sampled_from(lines)), "style": draw(st.sampled_from(_LANE_LINE_STYLES))},
        "close_lane": {"from_m": draw(st.floats(-5.0, 2.0)), "length_m": 8.0, "taper_m": 6.0},
        "force_lights": {"lights": some_lights, "state": draw(states)},
        "schedule_lights": {
            "lights": some_lights[:1],
            "phases": [{"at_s": k * 2.5, "state": draw(states)} for k in range(draw(st.integers(1, 4)))],
        },
        "move_camera": {"camera": camera, "x_m": draw(_metres), "pitch_deg": draw(_metres)},
        "remove_camera": {"camera": camera},
        "add_camera": known_rig,
        "swap_lens": {"camera": camera, "rig": "nuscenes-6", "from_camera": "CAM_FRONT"},
        "jitter_rig": {"seed": draw(st.integers(0, 5))},
    }  # fmt: skip
    assert set(fields) >= {kind}
    return {"kind": kind, **fields[kind]}


def _members() -> Sequence[Any]:
    return get_args(get_args(EditFile)[0])


def _applied(draw: st.DrawFn, scene: Scene, count: int) -> tuple[list[Scene], list[Edited]]:
    """Scenes before each of some random edits, and what they became; refused edits are left out."""
    before, edited = [], []
    kinds = [get_args(member.model_fields["kind"].annotation)[0] for member in _members()]
    for number, kind in enumerate(draw(st.permutations(kinds))[:count]):
        try:
            done = apply_edit(_edit(**_random_edit(draw, scene, kind, number)), _world(scene), _HERE)
        except ScenarioError as error:
            assert "\n" not in str(error)
            continue
        before.append(scene)
        edited.append(done)
        scene = done.scene
    return before, edited


def _undo_gives_every_scene_before(data: st.DataObject, scene: Scene, count: int) -> None:
    before, edited = data.draw(st.composite(lambda draw: _applied(draw, scene, count))())
    digests = [scene_digest(each) for each in before]
    current = edited[-1].scene if edited else scene
    for done, digest in zip(reversed(edited), reversed(digests), strict=True):
        current = restore(current, done.inverse)
        assert scene_digest(current) == digest


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_undoing_random_edits_one_by_one_gives_every_scene_before(crossing: Scene, data: st.DataObject) -> None:
    _undo_gives_every_scene_before(data, crossing, 8)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_undoing_random_edits_of_a_recorded_log_gives_every_scene_before(argoverse: Scene, data: st.DataObject) -> None:
    _undo_gives_every_scene_before(data, argoverse, 6)


_ONE_OF_EACH = (
    {"kind": "remove", "actors": ["lead car"]},
    {"kind": "keep_only", "classes": ["Car"]},
    {"kind": "replace", "actor": "lead car", "category": "truck"},
    {"kind": "retime", "actor": "lead car", "later_s": 1.0},
    {"kind": "shift", "actor": "lead car", "left_m": 3.5},
    {"kind": "rescale_speed", "actor": "lead car", "factor": 1.5},
    {"kind": "move_element", "layer": "poles", "id": "2-lamp", "x_m": 3.0},
    {"kind": "remove_elements", "layer": "crosswalks"},
    {"kind": "add_line", "layer": "stop_lines", "id": "new", "points": [[10, 2], [10, -2]]},
    {"kind": "add_sign", "id": "new", "x_m": 20.0, "y_m": -5.0},
    {"kind": "repaint", "id": "2-centre", "colour": "WHITE", "style": "SOLID_SINGLE"},
    {"kind": "close_lane", "from_m": -20.0, "length_m": 10.0, "taper_m": 10.0},
    {"kind": "force_lights", "state": "red"},
    {"kind": "schedule_lights", "phases": [{"at_s": 1.0, "state": "red"}]},
    {"kind": "move_camera", "camera": "camera_front_wide_120fov", "z_m": 0.2},
    {"kind": "remove_camera", "camera": "camera_front_wide_120fov"},
    {"kind": "add_camera", "rig": "nuscenes-6", "camera": "CAM_FRONT"},
    {"kind": "swap_lens", "camera": "camera_front_wide_120fov", "rig": "nuscenes-6", "from_camera": "CAM_FRONT"},
    {"kind": "jitter_rig", "seed": 3},
)


def test_there_is_an_example_of_every_kind_of_edit() -> None:
    kinds = {get_args(member.model_fields["kind"].annotation)[0] for member in _members()}
    assert {edit["kind"] for edit in _ONE_OF_EACH} == kinds


@pytest.mark.parametrize("fields", _ONE_OF_EACH, ids=lambda fields: str(fields["kind"]))
def test_every_kind_of_edit_changes_the_scene_and_can_be_undone(crossing: Scene, fields: dict[str, Any]) -> None:
    done = apply_edit(_edit(**fields), _world(crossing), _HERE)
    assert scene_digest(done.scene) != scene_digest(crossing)
    assert done.inverse.sentences
    assert scene_digest(restore(done.scene, done.inverse)) == scene_digest(crossing)


@pytest.mark.parametrize("fields", _ONE_OF_EACH, ids=lambda fields: str(fields["kind"]))
def test_the_same_edit_gives_the_same_scene(crossing: Scene, fields: dict[str, Any]) -> None:
    first, second = (apply_edit(_edit(**fields), _world(crossing), _HERE).scene for _ in range(2))
    assert scene_digest(first) == scene_digest(second)


def test_the_inverse_says_what_it_puts_back_and_holds_it(crossing: Scene) -> None:
    done = apply_edit(_edit(kind="remove", actors=["cone", "cyclist"]), _world(crossing), _HERE)
    assert done.inverse.sentences == ("put back actors: cyclist, cone",)
    assert [actor.id for _, actor in done.inverse.parts[0].taken] == ["cyclist", "cone"]


def test_an_inverse_of_another_scene_is_refused(crossing: Scene) -> None:
    done = apply_edit(_edit(kind="remove", actors=["cone"]), _world(crossing), _HERE)
    later = apply_edit(_edit(kind="remove", actors=["cyclist"]), _world(done.scene), _HERE)
    with pytest.raises(ScenarioError) as error:
        restore(later.scene, done.inverse)
    assert str(error.value) == (
        "this edit cannot be undone here: actors cyclist came or went since. "
        "Undo the later edits first, the last one before the others"
    )


def test_an_edit_that_finds_nothing_to_change_has_an_empty_inverse(crossing: Scene) -> None:
    none_left = apply_edit(_edit(kind="remove_elements", layer="stop_lines"), _world(crossing), _HERE).scene
    again = apply_edit(_edit(kind="remove_elements", layer="stop_lines"), _world(none_left), _HERE)
    assert again.inverse.parts == () and again.inverse.sentences == ()


# -- the digest ----------------------------------------------------------------------------------------


def test_a_scene_made_twice_has_one_digest(crossing: Scene) -> None:
    again = crossing_scene(8.0).with_rig(load_rig(find_rig("cosmos-ftheta-7")))
    assert scene_digest(again) == scene_digest(crossing)


def test_the_digest_does_not_change_when_lines_are_cached_by_reading_them(crossing: Scene) -> None:
    before = scene_digest(crossing)
    _ = crossing.hdmap.lane_segments[0].centre, crossing.hdmap.near(np.zeros(3), 5.0)
    assert scene_digest(crossing) == before


def test_the_digest_of_a_scene_is_known() -> None:
    assert content_digest(("a", 1, 2.5, None, True, {"b": np.zeros(2)})) == _KNOWN_DIGEST


@pytest.mark.parametrize(
    ("one", "other"),
    [(0.0, -0.0), (1, 1.0), (1, True), ("1", 1), (("a", "b"), ("ab",)), ((("a",), "b"), ("a", ("b",))), ({}, ())],
)
def test_values_that_differ_in_anything_differ_in_their_digest(one: Any, other: Any) -> None:
    assert content_digest(one) != content_digest(other)


@pytest.mark.parametrize("change", [1e-12, -1e-12])
def test_a_hair_of_a_move_changes_the_digest(crossing: Scene, change: float) -> None:
    moved = apply_edit(_edit(kind="move_element", layer="poles", id="0-lamp", z_m=change), _world(crossing), _HERE)
    assert scene_digest(moved.scene) != scene_digest(crossing)
