"""A scenario as a timeline and as a film strip."""

from __future__ import annotations

from drivesim.scenario.build import build
from drivesim.scenario.loading import load_scenario
from drivesim.scenario.show import film_strip, timeline


def test_the_timeline_says_who_moves_when_and_where_the_file_says_so() -> None:
    built = build(load_scenario("occluded_child"))
    lines = list(timeline(built.scene, {actor: f"it.yaml:{n}:1" for n, actor in enumerate(built.causes)}))
    assert lines[0] == "occluded_child: 6.0 s, 2 actors, 7 cameras"
    assert lines[3].split("|")[1] == "-" * 40 and lines[3].endswith("stands  it.yaml:0:1")
    child = lines[4].split("|")[1]
    assert child.startswith("---") and child.endswith("=")


def test_the_film_strip_holds_five_pictures_and_is_the_same_every_time() -> None:
    scene = build(load_scenario("cut_in")).scene
    strip = film_strip(scene)
    assert strip.shape == (572, 5 * 426 + 6, 3) and (film_strip(scene) == strip).all()
    assert len({strip[:, 6 + 426 * i : 426 * (i + 1)].tobytes() for i in range(5)}) == 5
