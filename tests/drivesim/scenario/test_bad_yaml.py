"""Every mistake a scenario file may hold, with the exact message: file:line:column, field, what is wrong, what fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivesim.errors import ScenarioError
from drivesim.paths import built_in_configs
from drivesim.scenario.loading import load_scenarios

CUT_IN = """version: 1
variables: {gap_m: 8}
source: {kind: road, layout: {kind: straight}}
actors:
  - id: cutter
    place: {kind: lane, lane: ego+1, ahead_m: 25}
    behaviour: {kind: cut_in, gap_m: "${gap_m}"}
"""
EMPTY_ROAD = """version: 1
source: {kind: road, layout: {kind: straight}}
"""
KEYS = (
    "version, extends, name, description, about, duration_s, seed, variables, vary, source, ego, actors, "
    "traffic, edits, rig, conditions, prompts, checks, model"
)
EDITS = (
    "remove, keep_only, replace, retime, shift, rescale_speed, move_element, remove_elements, add_line, "
    "add_sign, repaint, close_lane, force_lights, schedule_lights, move_camera, remove_camera, "
    "add_camera, swap_lens, jitter_rig"
)
BEHAVIOURS = (
    "still, keep_lane, cut_in, cut_out, hard_brake, stop_and_go, overtake, u_turn, jaywalk, step_out, "
    "wrong_way, emergency, waypoints, copy_track"
)
FINDINGS = (
    "collision, duplicate, size, kinematics, off_road, wrong_way, floating, sunken, missing_line, "
    "red_light, light_conflict, born_in_view, dies_in_view, hidden_subject, subject_seen, blocked_camera, "
    "camera_pose, out_of_distribution, not_checked"
)
WORDS = {
    "KEYS": KEYS,
    "EDITS": EDITS,
    "BEHAVIOURS": BEHAVIOURS,
    "FINDINGS": FINDINGS,
    "BUILT_IN": ", ".join(built_in_configs("scenarios")),
}

CASES = [
    (
        "",
        "it.yaml:1:1  expected keys with values, got nothing",
    ),
    (
        "- version: 1\n",
        "it.yaml:1:1  expected keys with values, got a list",
    ),
    (
        "version: 1\nversion: 1\n",
        'it.yaml:2:1  found duplicate key "version" with value "1" (original value: "1")',
    ),
    (
        "version: 1\nsource: {kind: road\n",
        "it.yaml:3:1  expected ',' or '}', but got '<stream end>'",
    ),
    (
        "version: 1\ndescription: a car: red\n",
        "it.yaml:2:19  mapping values are not allowed here",
    ),
    (
        "version: 1\n\tsource: x\n",
        "it.yaml:2:1  found character '\\t' that cannot start any token",
    ),
    (
        "version: 1\nabout: *cutter\n",
        "it.yaml:2:8  found undefined alias 'cutter'",
    ),
    (
        "version: 1\n---\nversion: 1\n",
        "it.yaml:2:1  but found another document",
    ),
    (
        EMPTY_ROAD + "seed: 1_0x\nego: {lane: yes}\n",
        "it.yaml:3:7  seed: expected a whole number, got '1_0x'\n"
        "it.yaml:4:13  ego.lane: expected a whole number, got 'yes'",
    ),
    (
        "version: 1\nsource: {kind: road, layout: {kind: straight}, sidewalks: no}\n",
        "it.yaml:2:59  source.sidewalks: expected true or false, got 'no'",
    ),
    (
        "version: '1'\nsource: {kind: road, layout: {kind: straight}}\n",
        "it.yaml:1:10  version: '1' is a text. Allowed: 1, without quotes",
    ),
    (
        "version: 2\nsource: {kind: road, layout: {kind: straight}}\n",
        "it.yaml:1:10  version: 2 is unknown. Allowed: 1",
    ),
    (
        "sauce: {kind: road}\n",
        "it.yaml:1:1  version: is missing\n"
        "it.yaml:1:1  source: is missing\n"
        "it.yaml:1:1  sauce: unknown key (did you mean 'source'?). Allowed: {KEYS}",
    ),
    (
        CUT_IN + "rigg: nuscenes-6\n",
        "it.yaml:8:1  rigg: unknown key (did you mean 'rig'?). Allowed: {KEYS}",
    ),
    (
        CUT_IN + "conditions: {wether: rain}\n",
        "it.yaml:8:14  conditions.wether: unknown key (did you mean 'weather'?). "
        "Allowed: weather, time_of_day, season, place, road",
    ),
    (
        EMPTY_ROAD + "actors: [{id: a, place: {kind: lane, ahead: 30}}]\n",
        "it.yaml:3:38  actors[0].place.ahead: unknown key (did you mean 'ahead_m'?). "
        "Allowed: kind, lane, ahead_m, lateral_m",
    ),
    (
        EMPTY_ROAD + "actors: [{id: a, place: {kind: lane, lane: ego, ahead_m: far}}]\n",
        "it.yaml:3:58  actors[0].place.ahead_m: expected a number, got 'far'",
    ),
    (
        EMPTY_ROAD + "actors: [{id: a, place: {kind: lane, lane: left}}]\n",
        "it.yaml:3:44  actors[0].place.lane: 'left' does not fit. "
        "Allowed: ego, ego+1 (left), ego-1 (right), oncoming, oncoming+1, or id: and the id of a lane",
    ),
    (
        EMPTY_ROAD + "actors: [{place: {kind: lane}}]\n",
        "it.yaml:3:10  actors[0].id: is missing",
    ),
    (
        EMPTY_ROAD + "actors: {id: a}\n",
        "it.yaml:3:1  actors: expected a list, got keys with values",
    ),
    (
        EMPTY_ROAD + "edits: [{kind: removed, actors: [a]}]\n",
        "it.yaml:3:16  edits[0].kind: 'removed' is unknown (did you mean 'remove'?). Allowed: {EDITS}\n"
        "it.yaml:3:34  edits[0].actors[0]: there is no actor 'a'. The file adds none",
    ),
    (
        EMPTY_ROAD + "edits: [{actors: [a]}]\n",
        "it.yaml:3:9  edits[0].kind: is missing. Allowed: {EDITS}\n"
        "it.yaml:3:19  edits[0].actors[0]: there is no actor 'a'. The file adds none",
    ),
    (
        EMPTY_ROAD + "actors:\n  - id: a\n    place: {kind: lane}\n    behaviour: {kind: cutin}\n",
        "it.yaml:6:23  actors[0].behaviour.kind: 'cutin' is unknown (did you mean 'cut_in'?). Allowed: {BEHAVIOURS}",
    ),
    (
        "version: 1\nsource: {kind: road, layout: {kind: strait}}\n",
        "it.yaml:2:37  source.layout.kind: 'strait' is unknown (did you mean 'straight'?). "
        "Allowed: straight, curve, hill, t_junction, four_way, merge, roundabout",
    ),
    (
        EMPTY_ROAD + "conditions: {weather: rainy}\n",
        "it.yaml:3:23  conditions.weather: 'rainy' is unknown (did you mean 'rain'?). "
        "Allowed: clear, cloudy, overcast, rain, heavy_rain, fog, snow",
    ),
    (
        EMPTY_ROAD + "traffic: {mix: {lorry: 1}}\n",
        "it.yaml:3:17  traffic.mix.lorry: 'lorry' is unknown. Allowed: car, van, truck, bus, motorcycle",
    ),
    (
        CUT_IN + "duration_s: -1\n",
        "it.yaml:8:13  duration_s: must be above 0, got -1",
    ),
    (
        CUT_IN + "duration_s: ten\n",
        "it.yaml:8:13  duration_s: expected a number, got 'ten'",
    ),
    (
        CUT_IN + "duration_s: .nan\n",
        "it.yaml:8:13  duration_s: expected a finite number, got nan",
    ),
    (
        CUT_IN + "seed: 1.5\n",
        "it.yaml:8:7  seed: expected a whole number, got 1.5",
    ),
    (
        CUT_IN + "about:\n  - cutter\n",
        "it.yaml:8:1  about: expected a text, got a list",
    ),
    (
        CUT_IN + "prompts: {caption: 3}\n",
        "it.yaml:8:20  prompts.caption: expected a text, got 3",
    ),
    (
        CUT_IN + "prompts: {caption: ''}\n",
        "it.yaml:8:20  prompts.caption: must not be empty",
    ),
    (
        CUT_IN + "name: a/b\n",
        "it.yaml:8:7  name: 'a/b' does not fit. Allowed: letters, digits, _ . "
        "+ = and -, not first a sign; by default the name of the file",
    ),
    (
        EMPTY_ROAD + "ego: {behaviour: {kind: profile, points: []}}\n",
        "it.yaml:3:34  ego.behaviour.points: length must be at least 1, got 0",
    ),
    (
        EMPTY_ROAD + "edits: [{kind: add_line, layer: lane_lines, id: x, points: [[0, 1], [2, 3, 4]]}]\n",
        "it.yaml:3:69  edits[0].points[1]: length must be at most 2, got 3",
    ),
    (
        EMPTY_ROAD + "checks: {allow: [colision]}\n",
        "it.yaml:3:18  checks.allow[0]: 'colision' is unknown (did you mean 'collision'?). Allowed: {FINDINGS}",
    ),
    (
        CUT_IN + 'description: "${gap}"\n',
        "it.yaml:8:14  description: there is no variable 'gap' (did you mean 'gap_m'?). Known: gap_m",
    ),
    (
        CUT_IN + 'duration_s: "${gap_m + 1}"\n',
        "it.yaml:8:13  duration_s: '${gap_m + 1}' is not the name of a variable. "
        "Nothing can be computed between the braces",
    ),
    (
        CUT_IN + 'description: "${gap_m"\n',
        "it.yaml:8:14  description: '${gap_m' has no closing brace. Write $${ for a text with ${ in it",
    ),
    (
        EMPTY_ROAD + 'duration_s: "${length_s}"\n',
        "it.yaml:3:13  duration_s: there is no variable 'length_s'. The file has no variables",
    ),
    (
        EMPTY_ROAD + "variables: {a b: 1, c: [1], d: .inf}\n",
        "it.yaml:3:13  variables.a b: 'a b' does not fit. "
        "Allowed: letters, digits and _, not first a digit\n"
        "it.yaml:3:21  variables.c: expected a number, a text, true or false, got a list\n"
        "it.yaml:3:32  variables.d: expected a finite number, got inf",
    ),
    (
        EMPTY_ROAD + 'variables: {a: 1, b: "${a}"}\n',
        "it.yaml:3:22  variables.b: a variable cannot be used in variables",
    ),
    (
        EMPTY_ROAD + 'prompts: {cameras: {"${camera}": hello}}\n',
        "it.yaml:3:21  prompts.cameras.${camera}: a key cannot hold a variable",
    ),
    (
        EMPTY_ROAD + 'variables: {speed: fast}\nego: {behaviour: {kind: drive, speed_mps: "${speed}"}}\n',
        "it.yaml:4:43  ego.behaviour.speed_mps: expected a number, got 'fast'",
    ),
    (
        CUT_IN + "vary: {variables: {gap: {kind: list, values: [1, 2]}}}\n",
        "it.yaml:8:20  vary.variables.gap: there is no variable 'gap' (did you mean 'gap_m'?). "
        "Known: gap_m; or give it a value under variables",
    ),
    (
        CUT_IN + "vary: {variables: {gap_m: {kind: list, values: []}}}\n",
        "it.yaml:8:40  vary.variables.gap_m.values: length must be at least 1, got 0",
    ),
    (
        CUT_IN + "vary: {variables: {gap_m: {kind: list, values: [4, [5]]}}}\n",
        "it.yaml:8:52  vary.variables.gap_m.values[1]: expected a number, a text, true or false, got a list",
    ),
    (
        CUT_IN + "vary: {variables: {gap_m: [1, 2]}}\n",
        "it.yaml:8:20  vary.variables.gap_m: expected keys with values, got a list",
    ),
    (
        CUT_IN + "vary: {variables: {gap_m: {kind: range, start: 1, stop: 2, count: 1}}}\n",
        "it.yaml:8:67  vary.variables.gap_m.count: must be at least 2 to reach both start and stop, got 1",
    ),
    (
        CUT_IN + "vary: {variables: {gap_m: {kind: sample, low: 9, high: 2, count: 5}}}\n",
        "it.yaml:8:56  vary.variables.gap_m.high: must be at least low, which is 9, got 2",
    ),
    (
        CUT_IN + "vary: {variables: {gap_m: {kind: sample, low: 0.2, high: 0.4, count: 5, whole: true}}}\n",
        "it.yaml:8:80  vary.variables.gap_m.whole: there is no whole number from 0.2 to 0.4",
    ),
    (
        CUT_IN + "vary: {variables: {gap_m: {kind: list, values: [0.1, 0.2, 8]}}}\n",
        "it.yaml:7:38  actors[0].behaviour.gap_m: must be at least 0.5, got 0.1 (with gap_m=0.1); and 1 more like it",
    ),
    (
        CUT_IN + "vary: {variables: {gap_m: {kind: list, values: [8, 9, 8]}}}\n",
        "it.yaml:8:1  vary: makes the same scenario of gap_m=8 and of gap_m=8",
    ),
    (
        EMPTY_ROAD + "variables: {a: 1}\nvary: {variables: {a: {kind: list, values: [1, 2]}}}\n",
        "it.yaml:4:20  vary.variables.a: changes nothing: ${a} stands in no field",
    ),
    (
        EMPTY_ROAD + "variables: {a: 1, b: 2}\n"
        "description: ${a} ${b}\n"
        "vary:\n"
        "  how: zip\n"
        "  variables:\n"
        "    a: {kind: range, start: 1, stop: 3, count: 3}\n"
        "    b: {kind: list, values: [1, 2]}\n",
        "it.yaml:6:8  vary.how: side by side, all variables need as many values as each other: a 3, b 2",
    ),
    (
        EMPTY_ROAD + "variables: {a: 1, b: 2}\n"
        "description: ${a} ${b}\n"
        "vary:\n"
        "  variables:\n"
        "    a: {kind: range, start: 1, stop: 3, count: 200}\n"
        "    b: {kind: range, start: 1, stop: 3, count: 100}\n",
        "it.yaml:5:1  vary: makes 20,000 scenarios (a 200, b 100), at most 10,000. Take fewer, or how: zip",
    ),
    (
        CUT_IN + "about: cuter\n",
        "it.yaml:8:8  about: there is no actor 'cuter' (did you mean 'cutter'?). Added: cutter",
    ),
    (
        EMPTY_ROAD + "about: a\n",
        "it.yaml:3:8  about: there is no actor 'a'. The file adds none",
    ),
    (
        EMPTY_ROAD + "actors:\n"
        "  - {id: a, place: {kind: lane}}\n"
        "  - {id: a, place: {kind: lane}}\n"
        "  - {id: ego, place: {kind: lane}}\n",
        "it.yaml:5:10  actors[1].id: 'a' is there already, at it.yaml:4:10. Give each its own id\n"
        "it.yaml:6:10  actors[2].id: 'ego' is the recording vehicle. Give the actor another id",
    ),
    (
        EMPTY_ROAD + "actors:\n"
        "  - {id: van, place: {kind: roadside}}\n"
        "  - {id: a, place: {kind: roadside}, behaviour: {kind: step_out, behind: vam}}\n"
        "  - {id: b, place: {kind: roadside}, behaviour: {kind: step_out, behind: b}}\n",
        "it.yaml:5:74  actors[1].behaviour.behind: there is no actor 'vam' (did you mean 'van'?). "
        "Added: van, a, b\n"
        "it.yaml:6:74  actors[2].behaviour.behind: 'b' cannot hide itself. Name another actor",
    ),
    (
        CUT_IN + "edits: [{kind: remove, actors: [cutters]}, {kind: shift, actor: nobody}]\n",
        "it.yaml:8:33  edits[0].actors[0]: there is no actor 'cutters' (did you mean 'cutter'?). "
        "Added: cutter\n"
        "it.yaml:8:65  edits[1].actor: there is no actor 'nobody'. Added: cutter",
    ),
    (
        EMPTY_ROAD + "edits:\n"
        "  - {kind: add_sign, id: s, x_m: 1, y_m: 2}\n"
        "  - {kind: add_sign, id: s, x_m: 3, y_m: 2}\n",
        "it.yaml:5:26  edits[1].id: 's' is there already, at it.yaml:4:26. Give each its own id",
    ),
    (
        EMPTY_ROAD + "ego: {behaviour: {kind: recorded}}\n",
        "it.yaml:3:25  ego.behaviour.kind: 'recorded' is for logs. Allowed here: drive, change_lane, profile",
    ),
    (
        EMPTY_ROAD + "ego: {lane: 2}\n",
        "it.yaml:3:13  ego.lane: must be below source.lanes, which is 2, got 2",
    ),
    (
        EMPTY_ROAD + "duration_s: 2\nego: {behaviour: {kind: change_lane, speed_mps: 9, to: left}}\n",
        "it.yaml:4:7  ego.behaviour.at_s: must be before the end (duration_s: 2), got 2",
    ),
    (
        EMPTY_ROAD + "ego: {behaviour: {kind: profile, points: [{at_s: 2, speed_mps: 3}, {at_s: 2, speed_mps: 5}]}}\n",
        "it.yaml:3:75  ego.behaviour.points[1].at_s: must be after the one before (2), got 2",
    ),
    (
        EMPTY_ROAD + "edits: [{kind: schedule_lights, phases: [{at_s: 3, state: red}, {at_s: 1, state: green}]}]\n",
        "it.yaml:3:72  edits[0].phases[1].at_s: must be after the one before (3), got 1",
    ),
    (
        "extends: nobody\n",
        "it.yaml:1:10  extends: there is no built-in scenario 'nobody'. Built-in: {BUILT_IN}; or name a YAML file",
    ),
    (
        "extends: gone/away.yaml\n",
        "it.yaml:1:10  extends: gone/away.yaml: no such scenario file",
    ),
    (
        "extends: it.yaml\n",
        "it.yaml:1:10  extends: it.yaml extends this file in turn. Break the circle",
    ),
    (
        "extends: 3\n",
        "it.yaml:1:10  extends: expected a text, got 3",
    ),
    (
        "extends: base.yaml\nduration: 3\nabout: cutter\nactors:\n  - id: 7\nsource: {layout: {lenght_m: 3}}\n",
        "it.yaml:2:1  duration: unknown key (did you mean 'duration_s'?). Allowed: {KEYS}\n"
        "it.yaml:3:8  about: there is no actor 'cutter'. Added: 7\n"
        "it.yaml:5:5  actors[0].place: is missing\n"
        "it.yaml:5:9  actors[0].id: expected a text, got 7\n"
        "it.yaml:6:19  source.layout.lenght_m: unknown key (did you mean 'length_m'?). "
        "Allowed: kind, length_m",
    ),
    (
        "extends: wrong.yaml\nseed: 2\nduration_s: 0\n",
        "it.yaml:3:13  duration_s: must be above 0, got 0\n"
        "wrong.yaml:9:8  about: there is no actor 'nobody'. Added: cutter",
    ),
    (
        EMPTY_ROAD + "duration_s: 0\n"
        "seed: x\n"
        "about: who\n"
        "conditions: {season: now}\n"
        "ego: {behaviour: {kind: drive, speed: 3}}\n"
        "actors: [{id: ego, place: {kind: lane}}]\n"
        'edits: [{kind: force_lights, state: "${state}"}]\n',
        "it.yaml:3:13  duration_s: must be above 0, got 0\n"
        "it.yaml:4:7  seed: expected a whole number, got 'x'\n"
        "it.yaml:5:8  about: there is no actor 'who'. Added: ego\n"
        "it.yaml:6:22  conditions.season: 'now' is unknown. Allowed: spring, summer, autumn, winter\n"
        "it.yaml:7:32  ego.behaviour.speed: unknown key (did you mean 'speed_mps'?). "
        "Allowed: kind, speed_mps, turn\n"
        "it.yaml:8:15  actors[0].id: 'ego' is the recording vehicle. Give the actor another id\n"
        "it.yaml:9:37  edits[0].state: there is no variable 'state'. The file has no variables",
    ),
]


@pytest.mark.parametrize(("text", "message"), CASES)
def test_a_mistake_is_told_with_its_place_and_what_is_allowed(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "it.yaml"
    path.write_text(text)
    (tmp_path / "base.yaml").write_text(CUT_IN)
    (tmp_path / "wrong.yaml").write_text(CUT_IN + "seed: -1\nabout: nobody\n")
    with pytest.raises(ScenarioError) as refusal:
        load_scenarios(path)
    for name, words in WORDS.items():
        message = message.replace(f"{{{name}}}", words)
    assert str(refusal.value).replace(f"{tmp_path}/", "") == message
