"""Ray maps: where every cell of a coarse grid over a picture looks, which says all about a camera without its name."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray
from .camera import Camera
from .errors import FrameError
from .rig import CameraRig

RayMap = npt.NDArray[np.float32]


def cell_centres_px(camera: Camera, cells_h: int, cells_w: int) -> FloatArray:
    """Pixels float64 [h,w,2] in the middle of the cells of an even grid over the whole picture.

    A cell is H/h x W/w pixels and pixel (0, 0) has its centre at (0, 0), so the first cell's is (W/w - 1) / 2.
    """
    if cells_h < 1 or cells_w < 1:
        raise FrameError(f"camera {camera.name}: a ray map needs at least one cell each way, got {cells_h}x{cells_w}")
    u = (np.arange(cells_w) + 0.5) * (camera.width_px / cells_w) - 0.5
    v = (np.arange(cells_h) + 0.5) * (camera.height_px / cells_h) - 0.5
    return np.stack(np.meshgrid(u, v), axis=-1)


def ray_map(camera: Camera, cells_h: int, cells_w: int) -> RayMap:
    """Unit direction of the ray through each cell's centre and the optical centre in metres, float32 [6,h,w].

    Both in the ego frame (x forward, y left, z up), by the camera's own lens. Another size of the same picture has
    the same map. (``Camera.resized`` keeps the principal point's share of the size, as the control videos must be
    drawn; that moves the picture by up to half a pixel, and its map with it.)
    """
    rays_camera = camera.unproject(cell_centres_px(camera, cells_h, cells_w))  # [h,w,3]
    directions = np.moveaxis(rays_camera @ camera.ego_from_camera.rotation.T, -1, 0)
    origin = camera.ego_from_camera.translation_m[:, None, None]
    rays: RayMap = np.concatenate([directions, np.broadcast_to(origin, directions.shape)]).astype(np.float32)
    return rays


def ray_maps(rig: CameraRig, cells_h: int, cells_w: int) -> RayMap:
    """Ray maps of all cameras in view order, float32 [V,6,h,w]."""
    maps = [ray_map(camera, cells_h, cells_w) for camera in rig]
    return np.stack(maps) if maps else np.zeros((0, 6, cells_h, cells_w), dtype=np.float32)
