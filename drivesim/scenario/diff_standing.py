"""How map, lights, cameras and frames differ in two scenes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import shapely

from scenegraph import SE3, Camera, Lens, LightState, LightTimeline, Polyline, Scene
from scenegraph.arrays import FloatArray

from .difference import Difference, How, apart, fields_that_differ, place, seconds
from .scene_digest import content_digest


def compare_maps(a: Scene, b: Scene) -> Iterator[Difference]:
    """Elements that went, that changed, and that came, layer by layer."""
    for (layer, old_elements), (_, new_elements) in zip(a.hdmap.layers(), b.hdmap.layers(), strict=True):
        old, new = ({element.id: element for element in elements} for elements in (old_elements, new_elements))
        for name, element in old.items():
            if name not in new:
                yield _element(layer, element, "removed")
            elif element is not new[name] and content_digest(element) != content_digest(new[name]):
                yield _changed_element(layer, element, new[name])
        yield from (_element(layer, element, "added") for name, element in new.items() if name not in old)


def compare_lights(a: Scene, b: Scene, zero_us: int) -> Iterator[Difference]:
    """Lights that both maps have and that show something else for some time."""
    lights = {light.id for light in a.hdmap.traffic_lights}
    end_us = max(a.ego.last_us, b.ego.last_us)
    for light in b.hdmap.traffic_lights:
        spans = _differing(a.light_states.get(light.id), b.light_states.get(light.id), end_us)
        if light.id not in lights or not spans:
            continue
        said = []
        for low_us, high_us, old, new in spans:
            span = f"from {seconds(low_us, zero_us):.1f} to {seconds(high_us, zero_us):.1f} s"
            said.append(f"{new.value} instead of {old.value} {span}")
        yield Difference(
            "light",
            light.id,
            "traffic_lights",
            "changed",
            start_s=seconds(spans[0][0], zero_us),
            end_s=seconds(spans[-1][1], zero_us),
            place_m=place(light.world_from_box.translation_m),
            details=tuple(said),
        )


def compare_cameras(a: Scene, b: Scene) -> Iterator[Difference]:
    """Cameras that went, that changed, and that came, and whether the views are in another order."""
    for camera in a.rig:
        if camera.name not in b.rig.names:
            yield _camera(camera, "removed")
        elif content_digest(camera) != content_digest(b.rig[camera.name]):
            yield _changed_camera(camera, b.rig[camera.name])
    yield from (_camera(camera, "added") for camera in b.rig if camera.name not in a.rig.names)
    orders = [[name for name in one.rig.names if name in other.rig.names] for one, other in ((a, b), (b, a))]
    if orders[0] != orders[1]:
        said = (f"{', '.join(orders[1])} instead of {', '.join(orders[0])}",)
        yield Difference("camera", "order", "views", "changed", details=said)


def compare_frames(a: Scene, b: Scene) -> Iterator[Difference]:
    """Recorded instants of camera frames."""
    if content_digest(a.frame_timestamps_us) == content_digest(b.frame_timestamps_us):
        return
    counts = ["none" if one.frame_timestamps_us is None else len(one.frame_timestamps_us) for one in (a, b)]
    said = (f"{counts[1]} recorded instants instead of {counts[0]}",)
    yield Difference("frames", "frames", "instants", "changed", details=said)


def _element(layer: str, element: Any, how: How) -> Difference:
    return Difference("map", element.id, layer, how, place_m=place(_points(element).mean(axis=0)))


def _changed_element(layer: str, old: Any, new: Any) -> Difference:
    details = [
        f"{field.name} {_word(getattr(new, field.name))} instead of {_word(getattr(old, field.name))}"
        for field in fields(old)
        if not isinstance(getattr(old, field.name), Polyline | SE3)
        and getattr(old, field.name) != getattr(new, field.name)
    ]
    moved_m = _largest_move_m(_points(old), _points(new))
    if moved_m == 0 and not details:
        details = [f"differs in {fields_that_differ(old, new)}"]
    place_m = place(_points(old).mean(axis=0))
    return Difference(
        "map", old.id, layer, "changed", largest_m=moved_m or None, place_m=place_m, details=tuple(details)
    )


def _largest_move_m(old: FloatArray, new: FloatArray) -> float:
    """Between points one by one where they are as many, else between the lines in the ground plane."""
    if old.shape == new.shape:
        return float(np.linalg.norm(new - old, axis=1).max())
    return float(shapely.hausdorff_distance(shapely.LineString(old[:, :2]), shapely.LineString(new[:, :2])))


def _points(element: Any) -> FloatArray:
    """Where an element is [N,3]."""
    if hasattr(element, "outline"):
        return np.asarray(element.outline)
    if hasattr(element, "polyline"):
        return np.asarray(element.polyline.points_m)
    return np.asarray(element.world_from_box.translation_m[None])


def _differing(
    old: LightTimeline | None, new: LightTimeline | None, end_us: int
) -> list[tuple[int, int, LightState, LightState]]:
    """(from, to, state before, state after) of the times before ``end_us`` at which two timelines are not the same."""
    if old is None and new is None:
        return []
    stamps = [line.timestamps_us for line in (old, new) if line is not None]
    times_us = np.unique(np.concatenate(stamps))
    befores, afters = (line.at(times_us) if line else (LightState.UNKNOWN,) * len(times_us) for line in (old, new))
    rows = zip(times_us.tolist(), [*times_us[1:].tolist(), end_us], befores, afters, strict=True)
    return [
        (start_us, min(stop_us, end_us), before, after)
        for start_us, stop_us, before, after in rows
        if before != after and start_us < end_us
    ]


def _camera(camera: Camera, how: How) -> Difference:
    size = f"{camera.width_px}x{camera.height_px} px"
    return Difference("camera", camera.name, type(camera.lens).__name__, how, details=(size,))


def _changed_camera(old: Camera, new: Camera) -> Difference:
    moved_m, turned_deg = map(float, apart(old.ego_from_camera, new.ego_from_camera))
    details = []
    if (old.width_px, old.height_px) != (new.width_px, new.height_px):
        details.append(f"{new.width_px}x{new.height_px} px instead of {old.width_px}x{old.height_px} px")
    if old.lens != new.lens:
        details.append(_other_lens(old.lens, new.lens))
    if not (moved_m or turned_deg or details):
        details.append(f"differs in {fields_that_differ(old, new)}")
    return Difference(
        "camera",
        old.name,
        type(old.lens).__name__,
        "changed",
        largest_m=moved_m or None,
        largest_deg=turned_deg or None,
        details=tuple(details),
    )


def _other_lens(old: Lens, new: Lens) -> str:
    if type(old) is not type(new):
        return f"lens {type(new).__name__} instead of {type(old).__name__}"
    pairs = [(field.name, getattr(new, field.name), getattr(old, field.name)) for field in fields(old)]
    return "; ".join(f"{name} {_word(to)} instead of {_word(was)}" for name, to, was in pairs if to != was)


def _word(value: Any) -> str:
    if value is None:
        return "none"
    texts: Iterable[str] = map(str, value) if isinstance(value, tuple) else [str(value)]
    return " ".join(texts) or "none"
