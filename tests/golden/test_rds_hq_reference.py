"""The real RDS-HQ clip against NVIDIA's own control videos of it (old style, camera poses fitted to them).

Boxes cannot be compared (the sample lacks them). They are wire frames in pure red, green, blue or white, and a picture
is the brighter layer per channel: a box adds to what it covers and hides nothing in the other channels. So blue
pixels of ours must be blue in theirs wherever the boxes are; in the other direction only colours that no box has
are compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from golden_scenes import save_difference

from render.controls import ControlRenderer
from render.palette import LAYERS
from render.video import frames
from scenegraph import SE3, Camera, CameraRig
from scenegraph.formats.rds_hq import read_rds_hq, read_rds_hq_lenses

_CROP_PX = 8  # the references are 1280x720 with eight rows cut off at top and bottom
_TOLERANCE_PX = 4.0
_BOX_MARGIN_PX = 3.0  # how far the red of a box runs into its neighbours in the compressed videos
_FRAMES = (21, 49)  # the camera poses were fitted on 0, 14, 28, 42 and 56

# Shares of pixels that have a counterpart within the tolerance, 0.01 below the lower of both frames, measured:
# all of ours with blue in it (signs, poles and markings too), then lane lines and road boundaries both ways. Stop lines
# are a few hundred pixels here and in none of the shares. The pose of cross_right is the weakest (see its near sign).
_KINDS = ("our blue", "our lane lines", "their lane lines", "our road boundaries", "their road boundaries")
_LEAST = {
    "camera_front_wide_120fov": (0.985, 0.985, 0.988, 0.968, 0.960),
    "camera_cross_right_120fov": (0.899, 0.966, 0.969, 0.881, 0.910),
    "camera_rear_right_70fov": (0.989, 0.989, 0.989, 0.989, 0.945),
    "camera_rear_tele_30fov": (0.984, 0.989, 0.989, 0.989, 0.944),
    "camera_rear_left_70fov": (0.955, 0.988, 0.984, 0.979, 0.975),
    "camera_cross_left_120fov": (0.972, 0.989, 0.978, 0.956, 0.985),
}
_CLEARLY = 0.15  # a defect that would be noticed takes a share at least this far below its limit

_Mask = npt.NDArray[np.bool_]


def _renderer(root: Path, left_out: str = "") -> ControlRenderer:
    scene, lenses = read_rds_hq(root), read_rds_hq_lenses(root)
    fitted = json.loads((root / "estimated_extrinsics.json").read_text())["cameras"]
    cameras = []
    for name in _LEAST:
        ego_from_camera = SE3.from_matrix(np.array(fitted[name]["rig_SE3_camera"]))
        cameras.append(Camera(name, *lenses[name], ego_from_camera))
    rig = CameraRig(tuple(cameras)).resized(1280, 720)
    clip = rig.at(scene.ego, scene.frame_times_us(30.0)[:57])
    return ControlRenderer(scene, clip, "hdmap-v1", [layer for layer in LAYERS if layer != left_out])


@pytest.fixture(scope="module")
def renderer(shared_data: Path) -> ControlRenderer:
    return _renderer(shared_data / "rds_hq")


@pytest.fixture(scope="module")
def theirs(shared_data: Path) -> dict[tuple[str, int], np.ndarray]:
    return {(camera, frame): picture for camera in _LEAST for frame, picture in _published(shared_data, camera)}


def _published(shared_data: Path, camera: str) -> Iterator[tuple[int, np.ndarray]]:
    (video,) = (shared_data / "rds_hq" / "reference_hdmap_videos" / f"ftheta_{camera}").glob("*.mp4")
    for frame, picture in enumerate(islice(frames(video), _FRAMES[-1] + 1)):
        if frame in _FRAMES:
            yield frame, picture


def _ours(renderer: ControlRenderer, camera: str, frame: int) -> np.ndarray:
    return renderer.frame(renderer.cameras.names.index(camera), frame)[_CROP_PX:-_CROP_PX]


def _blue(picture: np.ndarray) -> _Mask:
    return picture[..., 2] > 60


def _lane_lines(picture: np.ndarray) -> _Mask:
    """Light blue: no box is, since blue boxes lack green and white ones are as red as blue."""
    red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
    return _blue(picture) & (2 * green > blue) & (10 * red < 7 * blue)


def _red(picture: np.ndarray) -> _Mask:
    return (picture[..., 0] > 80) & (picture[..., 1] < 60) & (picture[..., 2] < 60)


def _road_boundaries(picture: np.ndarray) -> _Mask:
    """Red with the sixth part of green and blue that boundaries have, away from the pure red of boxes."""
    red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
    box = (red > 60) & ((green < 0.12 * red) | (blue < 0.1 * red) | (red > 205))
    return _red(picture) & (green > 0.12 * red) & (_distance_px(box) > _BOX_MARGIN_PX)


def _distance_px(mask: _Mask) -> np.ndarray:
    """Distance of every pixel to the nearest one of the mask."""
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)


def _share_near(these: _Mask, those: _Mask) -> float:
    """Share of these pixels that have one of those within the tolerance; 0 where there are none."""
    return float((_distance_px(those)[these] <= _TOLERANCE_PX).mean()) if these.any() else 0.0


def _shares(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The shares of ``_KINDS``, [5]."""
    return np.array(
        [
            _share_near(_blue(ours), _blue(theirs)),
            _share_near(_lane_lines(ours), _blue(theirs)),
            _share_near(_lane_lines(theirs), _lane_lines(ours)),
            _share_near(_red(ours), _red(theirs)),
            _share_near(_road_boundaries(theirs), _red(ours)),
        ]
    )


def _named(shares: np.ndarray) -> str:
    return ", ".join(f"{kind} {share:.3f}" for kind, share in zip(_KINDS, shares, strict=True))


@pytest.mark.parametrize("frame", _FRAMES)
@pytest.mark.parametrize("camera", _LEAST)
def test_lines_fall_on_the_lines_of_the_published_video_and_theirs_on_ours(
    theirs: dict[tuple[str, int], np.ndarray], renderer: ControlRenderer, camera: str, frame: int
) -> None:
    ours, published = _ours(renderer, camera, frame), theirs[camera, frame]
    assert ours.shape == published.shape
    found, least = _shares(ours, published), np.array(_LEAST[camera])
    where = f"{camera}.{frame}"
    assert (found >= least).all(), (
        f"{_named(found)}; least {_named(least)}; see {save_difference(f'rds_hq.{where}', ours, published)}"
    )


@pytest.mark.parametrize("camera", _LEAST)
def test_lines_ten_rows_off_would_be_noticed_in_every_share(
    theirs: dict[tuple[str, int], np.ndarray], renderer: ControlRenderer, camera: str
) -> None:
    for frame in _FRAMES:
        shifted = np.roll(_ours(renderer, camera, frame), 10, axis=0)
        found = _shares(shifted, theirs[camera, frame])
        assert (found < np.array(_LEAST[camera]) - _CLEARLY).all(), _named(found)


@pytest.mark.parametrize(
    ("layer", "kind"), [("lane_lines", "their lane lines"), ("road_boundaries", "their road boundaries")]
)
def test_a_layer_left_out_would_be_noticed_in_every_camera(
    shared_data: Path, theirs: dict[tuple[str, int], np.ndarray], layer: str, kind: str
) -> None:
    renderer, index = _renderer(shared_data / "rds_hq", left_out=layer), _KINDS.index(kind)
    for camera, frame in theirs:
        found = _shares(_ours(renderer, camera, frame), theirs[camera, frame])
        assert found[index] < _LEAST[camera][index] - _CLEARLY, f"{camera}.{frame}: {_named(found)}"
