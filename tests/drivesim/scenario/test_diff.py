from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import TypeAdapter
from pytest import approx

from drivesim.rigs import find_rig, load_rig
from drivesim.scenario.diff import as_dict, diff_scenes, lines
from drivesim.scenario.diff_page import diff_page, shown_instants
from drivesim.scenario.edits import apply_edit
from drivesim.scenario.schema_edits import EditFile
from drivesim.scenario.world import World
from drivesim.sources import load_scene
from scenegraph import SE3, CameraRig, Scene, Trajectory
from scenegraph.roads import crossing_scene

_EDIT: TypeAdapter[EditFile] = TypeAdapter(EditFile)


def _edited(scene: Scene, *edits: dict[str, Any]) -> Scene:
    for fields in edits:
        scene = apply_edit(_EDIT.validate_python(fields), World(scene, scene.ego.first_us, 8.0), Path()).scene
    return scene


def _crossing() -> Scene:
    return crossing_scene(8.0).with_rig(load_rig(find_rig("cosmos-ftheta-7")))


@pytest.fixture(scope="module")
def crossing() -> Scene:
    return _crossing()


def test_a_scene_does_not_differ_from_itself_read_again(crossing: Scene, av2_log: Path) -> None:
    for a, b in ((crossing, _crossing()), (load_scene(av2_log), load_scene(av2_log))):
        diff = diff_scenes(a, b, {"front": "a road"}, {"front": "a road"})
        assert diff.is_empty and lines(diff) == ["no difference"]
        assert as_dict(diff) == {"is_empty": True, "differences": []}


def test_name_source_and_order_of_actors_say_nothing_about_the_world(crossing: Scene) -> None:
    other = replace(crossing, clip_id="x", source={"format": "y"}, actors=crossing.actors[::-1])
    assert diff_scenes(crossing, other).is_empty


_SENTENCES = [
    (
        {"kind": "remove", "actors": ["lead car"]},
        "actor lead car (Car) removed: 4.60 x 1.90 x 1.55 m; at x -22.0, y -5.2; from 0.0 to 8.0 s",
    ),
    (
        {"kind": "shift", "actor": "oncoming lorry", "left_m": 2.0},
        "actor oncoming lorry (Truck) changed: moved by up to 2 m; at 0.0 s at x 58.0, y 5.2; from 0.0 to 8.0 s",
    ),
    (
        {"kind": "retime", "actor": "lead car", "later_s": 2.0},
        "actor lead car (Car) changed: moved by up to 17 m; there 2.0 to 8.0 s instead of 0.0 to 8.0 s; "
        "at 2.0 s at x -5.0, y -5.2; from 0.0 to 8.0 s",
    ),
    (
        {"kind": "replace", "actor": "cone", "category": "debris", "height_m": 0.8},
        "actor cone (Others) changed: 0.80 x 0.60 x 0.80 instead of 0.40 x 0.40 x 0.80 m; at x 30.0, y -8.0",
    ),
    (
        {"kind": "move_element", "layer": "poles", "id": "0-lamp", "x_m": -3.0},
        "map 0-lamp (poles) changed: moved by 3 m; at x 40.0, y 8.5",
    ),
    (
        {"kind": "repaint", "id": "1-centre", "colour": "WHITE"},
        "map 1-centre (lane_lines) changed: colour WHITE instead of YELLOW; at x {x}, y {y}",
    ),
    (
        {"kind": "remove_elements", "layer": "crosswalks", "ids": ["1-crosswalk"]},
        "map 1-crosswalk (crosswalks) removed: at x -0.4, y 15.0",
    ),
    (
        {"kind": "force_lights", "lights": ["1-light"], "state": "off"},
        "light 1-light (traffic_lights) changed: off instead of red from 0.0 to 8.0 s; at x 7.3, y 12.0; "
        "from 0.0 to 8.0 s",
    ),
    (
        {"kind": "move_camera", "camera": "camera_front_tele_30fov", "z_m": 0.25, "yaw_deg": 5.0},
        "camera camera_front_tele_30fov (FTheta) changed: moved by 0.25 m and turned by 5 deg",
    ),
    (
        {"kind": "remove_camera", "camera": "camera_front_tele_30fov"},
        "camera camera_front_tele_30fov (FTheta) removed: 1920x1080 px",
    ),
    (
        {"kind": "swap_lens", "camera": "camera_front_tele_30fov", "rig": "nuscenes-6", "from_camera": "CAM_FRONT"},
        "camera camera_front_tele_30fov (FTheta) changed: 1600x900 px instead of 1920x1080 px; "
        "lens Pinhole instead of FTheta",
    ),
]


@pytest.mark.parametrize(
    ("edit", "sentence"), _SENTENCES, ids=lambda case: case["kind"] if isinstance(case, dict) else ""
)
def test_an_edit_is_one_sentence(crossing: Scene, edit: dict[str, Any], sentence: str) -> None:
    said = lines(diff_scenes(crossing, _edited(crossing, edit)))
    line = next(line for line in crossing.hdmap.lane_lines if line.id == "1-centre").polyline.points_m.mean(axis=0)
    assert said == [sentence.format(x=f"{line[0]:.1f}", y=f"{line[1]:.1f}")]


def test_what_is_added_one_way_is_removed_the_other(crossing: Scene) -> None:
    more = _edited(crossing, {"kind": "add_sign", "id": "new", "x_m": 20.0, "y_m": -5.0})
    there, back = diff_scenes(crossing, more).differences, diff_scenes(more, crossing).differences
    assert [(each.part, each.id, each.how) for each in there] == [
        ("map", "new-post", "added"),
        ("map", "new", "added"),
    ]
    assert [replace(each, how="added") for each in back] == list(there)


def test_many_things_of_a_kind_are_one_line_but_all_are_in_the_numbers(crossing: Scene) -> None:
    diff = diff_scenes(crossing, _edited(crossing, {"kind": "remove_elements", "layer": "lane_lines"}))
    few = "0-centre, 0-divider-left, 0-divider-right, 0-edge-left, 0-edge-right, 1-centre"
    assert lines(diff) == [f"20 of map (lane_lines) removed: {few}, ..."]
    assert len(as_dict(diff)["differences"]) == 20


def test_the_ego_is_compared_at_every_key_pose_of_both(crossing: Scene) -> None:
    poses = crossing.ego.world_from_body
    moved = poses.translation_m.copy()
    moved[40, 1] += 0.5
    other = replace(crossing, ego=Trajectory(crossing.ego.timestamps_us, SE3(poses.rotation, moved)))
    assert lines(diff_scenes(crossing, other)) == [
        "ego ego (vehicle) changed: moved by up to 0.5 m; at 4.0 s at x -9.0, y -5.2; from 4.0 to 4.0 s"
    ]


def test_a_shorter_drive_is_a_difference(crossing: Scene) -> None:
    said = lines(diff_scenes(crossing, crossing_scene(6.0).with_rig(crossing.rig)))
    assert said[-1] == "ego ego (vehicle) changed: drives 0.0 to 6.0 s instead of 0.0 to 8.0 s"


def test_another_order_of_views_is_a_difference(crossing: Scene) -> None:
    pair = CameraRig(crossing.rig.cameras[:2])
    turned = crossing.with_rig(CameraRig(pair.cameras[::-1]))
    names = pair.names
    assert lines(diff_scenes(crossing.with_rig(pair), turned)) == [
        f"camera order (views) changed: {names[1]}, {names[0]} instead of {names[0]}, {names[1]}"
    ]


def test_seconds_count_from_the_start_of_the_scenario(crossing: Scene) -> None:
    other = _edited(crossing, {"kind": "remove", "actors": ["cone"]})
    difference = diff_scenes(crossing, other, start_us=3_000_000).differences[0]
    assert (difference.start_s, difference.end_s) == (-3.0, 5.0)


def test_prompts_are_compared_by_view(crossing: Scene) -> None:
    diff = diff_scenes(crossing, crossing, {"front": "sun", "left": "sun"}, {"front": "rain", "rear": "rain"})
    assert lines(diff) == [
        "prompt front (text) changed: 'rain' instead of 'sun'",
        "prompt left (text) removed: 'sun'",
        "prompt rear (text) added: 'rain'",
    ]


def test_numbers_go_through_json(crossing: Scene) -> None:
    edits = [edit for edit, _ in _SENTENCES if edit["kind"] not in ("remove", "remove_camera", "swap_lens")]
    found = json.loads(json.dumps(as_dict(diff_scenes(crossing, _edited(crossing, *edits)))))
    lorry = next(each for each in found["differences"] if each["id"] == "oncoming lorry")
    assert lorry["largest_m"] == approx(2.0) and lorry["place_m"] == approx([58.0, 5.25, 1.7])
    assert not found["is_empty"] and len(found["differences"]) == len(edits)


# -- the page ------------------------------------------------------------------------------------------


def _pictures(page: str) -> list[Any]:
    data = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    return [cv2.imdecode(np.frombuffer(base64.b64decode(each), np.uint8), cv2.IMREAD_COLOR) for each in data]


def test_the_page_shows_both_scenes_from_above_and_needs_no_other_file(crossing: Scene) -> None:
    other = _edited(crossing, {"kind": "remove", "actors": ["lead car"]})
    diff = diff_scenes(crossing, other)
    page = diff_page(crossing, other, diff, "<a>", "b")
    pictures = _pictures(page)
    assert len(pictures) == 4 and {picture.shape for picture in pictures} == {(700, 620, 3)}
    red_bgr = np.array([113, 113, 248])
    ringed = [(np.abs(picture.astype(int) - red_bgr).max(axis=-1) < 8).sum() for picture in pictures]
    assert ringed[0] > 50 and ringed[1] == 0
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "&lt;a&gt;" in page and "<a>" not in page
    assert "actor lead car (Car) removed" in page


def test_the_page_is_the_same_every_time(crossing: Scene) -> None:
    other = _edited(crossing, {"kind": "close_lane", "from_m": -20.0, "length_m": 10.0, "taper_m": 5.0})
    diff = diff_scenes(crossing, other)
    assert diff_page(crossing, other, diff, "a", "b") == diff_page(crossing, other, diff, "a", "b")


def test_pictures_are_of_the_instants_at_which_things_differ_most(crossing: Scene) -> None:
    faster = _edited(crossing, {"kind": "rescale_speed", "actor": "lead car", "factor": 1.5})
    times_us = shown_instants(diff_scenes(crossing, faster), 0, 0, 8_000_000)
    assert times_us.tolist() == [0, 8_000_000]
    nothing = diff_scenes(crossing, crossing)
    assert shown_instants(nothing, 0, 0, 8_000_000).tolist() == [0, 4_000_000]


def test_the_page_of_equal_scenes_says_so(crossing: Scene) -> None:
    page = diff_page(crossing, crossing, diff_scenes(crossing, crossing), "a", "b")
    assert "<p>no difference</p>" in page and len(_pictures(page)) == 4
