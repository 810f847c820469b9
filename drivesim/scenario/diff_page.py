"""The differences of two scenes as one HTML file: both from above side by side, what differs ringed, and the list."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from render.birdseye import BirdsEye
from render.lettering import write_text
from render.palette import Rgb
from render.strokes import draw_lines
from scenegraph import SE3, Scene
from scenegraph.arrays import FloatArray, IntArray, UInt8Array
from scenegraph.scene import EGO_EXTRAPOLATION_US

from .diff import SceneDiff, lines
from .difference import Difference, How

_WIDTH_PX, _HEIGHT_PX = 620, 700
_MOST_INSTANTS = 4
_RING_RGB: dict[How, Rgb] = {"added": (74, 222, 128), "removed": (248, 113, 113), "changed": (251, 191, 36)}
_RING_LEAST_PX, _RING_CORNERS, _CAPITAL_PX = 9.0, 33, 10

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 82rem; padding: 0 1rem;
       background: #16181d; color: #e8ebf0 }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; color: #969da8; font-weight: 600 }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem } figure { margin: 0 }
img { width: 100%; border-radius: 4px } figcaption { color: #969da8 }
table { border-collapse: collapse; width: 100% } td { border-top: 1px solid #242a33; padding: .3rem .6rem .3rem 0;
       vertical-align: top } .added { color: #4ade80 } .removed { color: #f87171 } .changed { color: #fbbf24 }
"""


def diff_page(a: Scene, b: Scene, diff: SceneDiff, name_a: str, name_b: str, start_us: int | None = None) -> str:
    """A page that needs no other file. Numbers in rings are those of the list."""
    zero_us = a.ego.first_us if start_us is None else start_us
    first_us, last_us = max(a.ego.first_us, b.ego.first_us), min(a.ego.last_us, b.ego.last_us)
    times_us = shown_instants(diff, zero_us, first_us, last_us) if first_us <= last_us else np.zeros(0, dtype=np.int64)
    title = html.escape(f"{name_a} and {name_b}")
    columns = [_pictures(scene, diff, times_us, how) for scene, how in ((a, "added"), (b, "removed"))]
    rows = [
        f"<h2>{(at_us - zero_us) / 1e6:.1f} s</h2><div class=pair>{_figure(left, name_a)}{_figure(right, name_b)}</div>"
        for at_us, left, right in zip(times_us.tolist(), *columns, strict=True)
    ]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
        f"<body><h1>{title}</h1>{_listed(diff)}{''.join(rows)}</body></html>\n"
    )


def shown_instants(diff: SceneDiff, zero_us: int, first_us: int, last_us: int) -> IntArray:
    """Instants worth a picture, at most four: the start, and when things differ most; the middle if never."""
    wanted_s = [d.at_s if d.at_s is not None else d.start_s for d in diff.differences]
    wanted = sorted({round(zero_us + at_s * 1e6) for at_s in wanted_s if at_s is not None} | {first_us})
    inside = [min(max(at_us, first_us), last_us) for at_us in wanted]
    if len(set(inside)) == 1:
        inside.append((first_us + last_us) // 2)
    chosen = np.unique(np.array(inside, dtype=np.int64))
    picks = np.unique(np.linspace(0, len(chosen) - 1, _MOST_INSTANTS).round().astype(int))
    return np.asarray(chosen[picks])


def _pictures(scene: Scene, diff: SceneDiff, times_us: IntArray, elsewhere: str) -> Iterator[UInt8Array]:
    """A scene from above at instants; elsewhere: what is only in the other scene."""
    if not len(times_us):
        return
    view = BirdsEye(scene, scene.rig.at(scene.ego, times_us, EGO_EXTRAPOLATION_US), _WIDTH_PX, _HEIGHT_PX)
    for index, time_us in enumerate(times_us):
        pose = scene.ego.at(np.array([time_us]), EGO_EXTRAPOLATION_US)[0]
        picture = view.frame(index)
        ego_from_world = SE3.from_yaw(pose.yaw_rad, pose.translation_m).inverse()
        taken: list[FloatArray] = []
        for number, each in enumerate(diff.differences, start=1):
            place = None if each.how == elsewhere else _where(scene, each, int(time_us))
            if place is not None:
                centre = view.view.pixels(ego_from_world.apply(place[0]))
                _draw_ring(picture, centre, place[1] * view.view.px_per_m, each.how, number, taken)
        yield picture


def _where(scene: Scene, each: Difference, time_us: int) -> tuple[FloatArray, float] | None:
    """Centre [3] and radius in metres of what differs, None where it is not there or has no place."""
    if each.part == "actor":
        actor = next(actor for actor in scene.actors if actor.id == each.id)
        boxes = actor.boxes_at(np.array([time_us]))
        if not boxes.present[0]:
            return None
        return boxes.world_from_box.translation_m[0], float(boxes.length_m[0]) / 2 + 0.5
    if each.part == "map":
        element = next(element for element in getattr(scene.hdmap, each.kind) if element.id == each.id)
        box = getattr(element, "world_from_box", None)
        if box is not None:
            return box.translation_m, 1.0
        line = element.centre if each.kind == "lane_segments" else element.polyline
        return line.at(line.length_m / 2), 1.0
    return None if each.part != "light" or each.place_m is None else (np.array(each.place_m), 1.5)


def _draw_ring(
    picture: UInt8Array, centre: FloatArray, radius_px: float, how: How, number: int, taken: list[FloatArray]
) -> None:
    """A ring and a number beside it; a number that would lie on another one is left out."""
    high = np.array([picture.shape[1], picture.shape[0]]) - _CAPITAL_PX
    if (centre < _CAPITAL_PX).any() or (centre > high).any():
        return
    radius = max(radius_px, _RING_LEAST_PX)
    angles = np.linspace(0.0, 2 * np.pi, _RING_CORNERS)
    ring = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    draw_lines(picture, [ring], _RING_RGB[how], 2, closed=True)
    corner = centre + radius * np.array([0.8, -0.8])
    if all(np.abs(corner - other).max() > 1.6 * _CAPITAL_PX for other in taken):
        taken.append(corner)
        write_text(picture, str(number), round(corner[0]), round(corner[1]), _CAPITAL_PX, _RING_RGB[how])


def _figure(picture: UInt8Array, name: str) -> str:
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    source = f"data:image/png;base64,{base64.b64encode(data.tobytes()).decode()}"
    caption = html.escape(name)
    return f'<figure><img alt="{caption} from above" src="{source}"><figcaption>{caption}</figcaption></figure>'


def _listed(diff: SceneDiff) -> str:
    if diff.is_empty:
        return f"<p>{html.escape(lines(diff)[0])}</p>"
    rows: Sequence[str] = [
        f"<tr><td>{number}<td class={each.how}>{each.how}<td>{html.escape(each.sentence)}"
        for number, each in enumerate(diff.differences, start=1)
    ]
    return f"<table>{''.join(rows)}</table>"
