"""ScenarioNet dumps: one JSON file per scene, ``"format": "scenario-json/1"``, with boxes at ten hertz and a map.

    {"format", "id", "scenario_token", "location", "date", "rate_hz", "length",
     "tracks": {ID: {"category", "frames", "position", "heading", "velocity", "size_lwh"}},
     "map_features": {ID: {"type", "polyline", "polygon"}}}

A track lists only the steps at which it is known, numbered in ``frames`` from the scene's first; positions are box
centres. The track ``ego`` is the recording vehicle, with its rear axle on the ground (z is 0 throughout). Boxes of
nuScenes are labelled at every fifth step and interpolated between. The file knows no time of day: the first step
is 0 us.

Coordinates are those of the city's map (metres, x east, y north, z up). The world's origin is moved to the first ego
position, rounded to whole metres; its axes stay. Map features have no height and are put on z = 0: nuScenes measures
the heights of boxes from the plane under the ego, which moves along with it, so no height of the ground can be had
from them that would hold for the whole scene.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from ..actor import Actor
from ..arrays import FloatArray, IntArray
from ..errors import FormatError
from ..scene import Scene
from ..se3 import SE3
from ..trajectory import Trajectory
from .dropped import Dropped
from .nuscenes import category_of
from .scenarionet_map import read_map
from .strict_json import Node

_FORMAT: Final = "scenario-json/1"
_SEARCHED_BYTES: Final = 4096
_EGO: Final = "ego"
_HEIGHTS: Final = "the map is flat at the height of the ego's wheels; boxes keep their recorded heights"

_NUSCENES_PLACES: Final = (
    "boston-seaport",
    "singapore-hollandvillage",
    "singapore-onenorth",
    "singapore-queenstown",
)
_NUSCENES_TERMS: Final = {
    "licence": "CC BY-NC-SA 4.0 and the nuScenes Terms of Use",
    "attribution": (
        "nuScenes (c) Motional AD Inc.; H. Caesar et al., nuScenes: A multimodal dataset for autonomous driving, "
        "CVPR 2020"
    ),
}
_OTHER_TERMS: Final = {
    "licence": "not known: see the terms of the data set that was converted",
    "attribution": "not known: see the terms of the data set that was converted",
}


def holds_scenario(file: Path) -> bool:
    """Whether a file's beginning is that of a ScenarioNet dump."""
    if file.suffix != ".json" or not file.is_file():
        return False
    with file.open("rb") as stream:
        return _FORMAT.encode() in stream.read(_SEARCHED_BYTES)


def read_scenarionet(path: Path, clip: str | None = None) -> Scene:
    """The scene of a dump, or of the one with the id ``clip`` where ``path`` is a folder of several.

    Actors are absent wherever their track leaves out a step. The steps are the scene's frame times. The file has no
    cameras. Velocities are checked, but not kept: they follow from the positions.
    """
    root = _find(Path(path), clip)
    step_us, length = _read_clock(root)
    tracks = root["tracks"]
    if _EGO not in tracks:
        raise tracks.error(f"no track is named {_EGO}", "The recording vehicle is needed.")
    ego = tracks[_EGO]
    steps = _read_steps(ego, length)
    if len(steps) != length:
        absent = np.setdiff1d(np.arange(length), steps)[0]
        raise ego["frames"].error(f"step {absent} is missing", f"The ego is needed at all {length} steps.")
    origin_m = np.round(_read_vectors(ego["position"], steps, 3)[0]) + 0.0  # no -0
    dropped = Dropped()
    return Scene(
        clip_id=root["id"].text(),
        hdmap=read_map(root["map_features"], origin_m, dropped),
        ego=_read_trajectory(ego, steps, step_us, origin_m),
        actors=tuple(
            _read_actor(track_id, track, length, step_us, origin_m)
            for track_id, track in tracks.fields().items()
            if track_id != _EGO
        ),
        frame_timestamps_us=_stamps_us(steps, step_us),
        world_origin_m=origin_m,
        source={**_describe(root), **dropped.as_source()},
    )


# -- the file -------------------------------------------------------------------------------------


def _find(path: Path, clip: str | None) -> Node:
    """The document that is asked for."""
    files = sorted(file for file in path.glob("*.json") if holds_scenario(file)) if path.is_dir() else [path]
    if not files:
        raise FormatError(path, "", "holds no ScenarioNet dump", f'A .json with "format": "{_FORMAT}" is needed.')
    found: dict[str, Node] = {}
    for file in files:
        root = _load(file)
        name = root["id"].text()
        if name in found:
            raise root["id"].error(f"{name!r} is the id of {found[name].file.name} too", "Ids must differ in a folder.")
        found[name] = root
    if clip is None and len(found) > 1:
        raise FormatError(path, "", f"holds {len(found)} scenes", f"Name one of them: {', '.join(found)}.")
    if clip is not None and clip not in found:
        raise FormatError(path, "", f"there is no clip {clip!r}", f"Present are {', '.join(found)}.")
    return found[clip] if clip is not None else next(iter(found.values()))


def _load(file: Path) -> Node:
    if not file.is_file():
        raise FormatError(file, "", "the file is missing", "A ScenarioNet dump is one .json file.")
    root = Node.load(file)
    if not root["format"].text().startswith(_FORMAT):
        raise root["format"].error(f"{root['format'].value!r} is here", f"{_FORMAT} is needed.")
    return root


def _read_clock(root: Node) -> tuple[float, int]:
    """Microseconds from step to step, and the number of steps."""
    rate_hz, length = root["rate_hz"].number(), root["length"].integer()
    if rate_hz <= 0:
        raise root["rate_hz"].error(f"{rate_hz:g} is here", "A number above 0 is needed.")
    if length < 1:
        raise root["length"].error(f"{length} is here", "A scene has at least 1 step.")
    return 1e6 / rate_hz, length


# -- tracks ---------------------------------------------------------------------------------------


def _read_actor(track_id: str, track: Node, length: int, step_us: float, origin_m: FloatArray) -> Actor:
    steps = _read_steps(track, length)
    word, sizes_m = track["category"].text(), track["size_lwh"].array(3)
    if not (sizes_m > 0).all():
        raise track["size_lwh"].error(f"a size of {sizes_m.min():g} m", "Length, width and height must be above 0.")
    length_m, width_m, height_m = sizes_m
    return Actor(
        track_id,
        category_of(word),
        _read_trajectory(track, steps, step_us, origin_m),
        length_m,
        width_m,
        height_m,
        source_category=word,
        extrapolate_us=int(step_us / 2),
        max_gap_us=int(1.5 * step_us),
    )


def _read_trajectory(track: Node, steps: IntArray, step_us: float, origin_m: FloatArray) -> Trajectory:
    position_m = _read_vectors(track["position"], steps, 3)
    _read_vectors(track["velocity"], steps, 2)
    heading = track["heading"]
    heading_rad = heading.array(-1)
    _require_length(heading, len(heading_rad), steps)
    return Trajectory(_stamps_us(steps, step_us), SE3.from_yaw(heading_rad, position_m - origin_m))


def _read_steps(track: Node, length: int) -> IntArray:
    """The steps [T] at which a track is known."""
    frames = track["frames"]
    numbers = frames.array(-1)
    if not len(numbers):
        raise frames.error("no step", "A track is known at 1 step at least.")
    wrong = (numbers != np.trunc(numbers)) | (numbers < 0) | (numbers >= length)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise frames.items()[row].error(f"{numbers[row]:g} is here", f"A step from 0 to {length - 1} is needed.")
    if (np.diff(numbers) <= 0).any():
        row = int(np.argmax(np.diff(numbers) <= 0)) + 1
        problem = f"step {numbers[row]:g} follows step {numbers[row - 1]:g}"
        raise frames.items()[row].error(problem, "Steps must increase.")
    return numbers.astype(np.int64)


def _read_vectors(node: Node, steps: IntArray, axes: int) -> FloatArray:
    """Vectors [T,axes], one for each step."""
    vectors = node.array(-1, axes)
    _require_length(node, len(vectors), steps)
    return vectors


def _require_length(node: Node, count: int, steps: IntArray) -> None:
    if count != len(steps):
        raise node.error(f"{count} values for {len(steps)} frames", "One is needed for each frame.")


def _stamps_us(steps: IntArray, step_us: float) -> IntArray:
    stamps_us: IntArray = np.rint(steps * step_us).astype(np.int64)
    return stamps_us


# -- source ---------------------------------------------------------------------------------------


def _describe(root: Node) -> dict[str, str]:
    """What the scene was made from."""
    names = ("scenario_token", "location", "date")
    return {
        "format": "scenarionet",
        **{name: root[name].text() for name in names},
        "heights": _HEIGHTS,
        **(_NUSCENES_TERMS if root["location"].value in _NUSCENES_PLACES else _OTHER_TERMS),
    }
