"""Paths into scenario files, and places that survive merging and changing."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivesim.errors import ScenarioError
from drivesim.scenario.positions import extended, parse_path, value_at, with_value
from drivesim.yaml_places import Place, field_name, locate

CHILD, PARENT = Path("child.yaml"), Path("parent.yaml")


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("seed", ("seed",)),
        ("actors[0].place.lane", ("actors", 0, "place", "lane")),
        ("edits[12].points[1][0]", ("edits", 12, "points", 1, 0)),
        ('prompts.cameras["front wide.120"]', ("prompts", "cameras", "front wide.120")),
    ],
)
def test_a_path_names_keys_and_entries(text: str, location: tuple[str | int, ...]) -> None:
    assert parse_path(text) == location


@pytest.mark.parametrize("text", ["", "actors[]", "actors[-1]", "a..b", ".a", "a.", "a b", "actors[0]id", "a[0"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        parse_path(text)
    assert str(refusal.value) == f"{text!r} names no field. Write it like actors[0].behaviour.gap_m"


def test_a_field_is_written_as_it_is_read() -> None:
    assert field_name(parse_path("actors[0].behaviour.gap_m")) == "actors[0].behaviour.gap_m"


def test_words_are_placed_at_themselves_and_larger_things_at_their_keys() -> None:
    found = locate("a: 1\nb:\n  c: {d: [x, y]}\n", CHILD)
    places = {at: str(found.place_of(at)) for at in [("a",), ("b",), ("b", "c"), ("b", "c", "d"), ("b", "c", "d", 1)]}
    assert list(places.values()) == [f"child.yaml:{at}" for at in ("1:4", "2:1", "3:3", "3:7", "3:14")]
    assert str(found.place_of(("a",), at_key=True)) == "child.yaml:1:1"


def test_what_is_not_there_is_placed_at_the_nearest_thing_around_it() -> None:
    found = locate("a:\n  b: [{c: 1}]\n", CHILD)
    assert str(found.place_of(("a", "b", 0, "gone", 3))) == "child.yaml:2:7"
    assert str(found.place_of(("a", "gone"))) == "child.yaml:1:1"
    assert str(found.place_of(("gone", "deep"))) == "child.yaml:1:1"


def test_every_value_keeps_its_own_place_when_files_are_merged() -> None:
    child = locate("a: {x: 1}\nlist: [7]\n", CHILD)
    parent = locate("a:\n  x: 5\n  y: 6\nlist: [1, 2, 3]\nz: 0\n", PARENT)
    merged = extended(child, parent)
    assert merged.data == {"a": {"x": 1, "y": 6}, "list": [7], "z": 0}
    places = [str(merged.place_of(at)) for at in [("a", "x"), ("a", "y"), ("list", 0), ("z",), ("a",)]]
    assert places == ["child.yaml:1:8", "parent.yaml:3:6", "child.yaml:2:8", "parent.yaml:5:4", "child.yaml:1:1"]
    assert str(merged.place_of(("list", 2))) == "child.yaml:2:1", "the parent's third entry is gone"


def test_a_mapping_of_another_kind_takes_nothing_from_its_parent() -> None:
    parent = locate("s: {kind: road, lanes: 3}\n", PARENT)
    assert extended(locate("s: {kind: log, path: x}\n", CHILD), parent).data == {"s": {"kind": "log", "path": "x"}}
    assert extended(locate("s: {lanes: 2}\n", CHILD), parent).data == {"s": {"kind": "road", "lanes": 2}}
    assert extended(locate("s: {kind: road, lanes: 2}\n", CHILD), parent).data["s"] == {"kind": "road", "lanes": 2}


def test_a_changed_value_has_the_place_of_the_change_and_the_old_document_stays() -> None:
    before = locate("a: {b: [1, {c: 2}]}\n", CHILD)
    after = with_value(before, ("a", "b", 1), {"d": 3}, Place("--set a.b[1]"))
    assert (before.data, after.data) == ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"d": 3}]}})
    assert str(after.place_of(("a", "b", 1, "d"))) == "--set a.b[1]"
    assert str(after.place_of(("a", "b", 0))) == "child.yaml:1:9"


def test_mappings_on_the_way_to_a_new_value_are_made() -> None:
    after = with_value(locate("a: 1\n", CHILD), ("x", "y", "z"), 5, Place("--set x.y.z=5"))
    assert after.data == {"a": 1, "x": {"y": {"z": 5}}}
    assert str(after.place_of(("x",), at_key=True)) == "--set x.y.z=5"


def test_a_value_that_is_not_there_is_none() -> None:
    assert value_at({"a": [{"b": 3}]}, ("a", 0, "b")) == 3
    assert [value_at({"a": [1]}, at) for at in [("a", 1), ("b",), ("a", 0, "b"), ("a", "b")]] == [None] * 4


def test_aliases_that_grow_without_end_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 8)]
    with pytest.raises(ScenarioError) as refusal:
        locate("\n".join(lines), CHILD)
    assert str(refusal.value) == "child.yaml: holds more than 200,000 values, those of aliases included"


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(ScenarioError) as refusal:
        locate("a: " + "[" * 5000, CHILD)
    assert str(refusal.value) == "child.yaml: is nested too deeply"
