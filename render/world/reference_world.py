"""A picture of any scene from any camera, in any weather at any time of day, with exact depth and labels."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from scenegraph import ClipCameras, Scene
from scenegraph.arrays import UInt8Array

from ..errors import RenderError
from ..raycast import TriangleScene
from .faces import faces_of
from .film import developed, exposure_of
from .labels import label
from .lamps import lamps_of
from .light import light_of
from .look import Look
from .mesh import joined
from .moving import Actors, Instant
from .noise import tile
from .precipitation import Precipitation
from .rays import PixelRays, find_edges, more_rays, offsets, pixel_rays
from .samples import Samples, World, cast, light_of_samples
from .semantic import CLASS_OF_CATEGORY
from .shading import resolve
from .sky import cloud_tile
from .still_world import still_world

Float32Array = npt.NDArray[np.float32]
SAMPLES: Final = 5
GRAIN: Final = 1.2
_INSTANTS_KEPT: Final = 3


@dataclass(frozen=True, eq=False)
class WorldFrame:
    """One picture of the reference world with its labels, which belong to the middle of every pixel.

    rgb: uint8 [H,W,3]. depth_m: float32 [H,W], along the camera's z, infinite for sky. instance: int32 [H,W], index
    into the scene's actors, -1 elsewhere. semantic: uint8 [H,W], a SemanticClass.
    """

    rgb: UInt8Array
    depth_m: Float32Array
    instance: npt.NDArray[np.int32]
    semantic: UInt8Array


class ReferenceWorld:
    """Draws any frame of any view of one clip; safe to call from several threads.

    scene: what to draw. cameras: where from, and when. look: weather, time of day and the like. seed: of all that the
    scene leaves open: the surroundings, colours, where the sun goes, grain. samples: per pixel where it differs from
    its neighbours, 1 or 5. grain: of the film, deviation in levels.
    """

    def __init__(
        self,
        scene: Scene,
        cameras: ClipCameras,
        look: Look | None = None,
        seed: int = 0,
        samples: int = SAMPLES,
        grain: float = GRAIN,
    ) -> None:
        if samples not in (1, SAMPLES):
            raise RenderError(f"samples: 1 or {SAMPLES} per pixel are possible, got {samples}")
        self.cameras, self.look = cameras, look or Look()
        self._seed, self._grain, self._offsets = seed, grain, offsets()[: samples - 1]
        self._categories = np.array([CLASS_OF_CATEGORY[actor.category] for actor in scene.actors], dtype=np.uint8)
        self._still = still_world(scene, cameras, self.look, seed)
        nothing = joined([])
        self._world = World(
            self._still.triangles,
            TriangleScene(nothing.vertices_m, nothing.triangles),
            self._still.faces,
            faces_of(nothing),
            light_of(self.look, seed),
            self._still.pictures,
            np.array(tile("grain", 512, 128, 512, 0.8)),
            cloud_tile(),
            lamps_of(*(np.zeros((0, 3)) for _ in range(3))),
            self._still.open_sky,
            self._still.open_sky,
            np.zeros((1, 2), dtype=np.float32),
        )
        self._actors = Actors(scene, cameras, self.look, seed, self._still.lamps_m)
        self._precipitation = Precipitation(self.look, seed)
        self._exposure = exposure_of(self.look)
        self._lock = threading.Lock()
        self._instants: dict[int, Instant] = {}
        self._rays: dict[int, PixelRays] = {}

    def frame(self, view: int, index: int) -> WorldFrame:
        """The picture and labels of one camera at one instant."""
        rays, instant = self._rays_of(view), self._instant(index)
        pose = self.cameras.world_from_camera[view, index]
        time_us = int(self.cameras.timestamps_us[index])
        world = self._world._replace(
            moving=instant.triangles, moving_faces=instant.faces, under=instant.under, glow=instant.glow,
            lamps=instant.lamps,
        )  # fmt: skip
        # 1. One ray per pixel, more where pixels differ from their neighbours.
        directions = np.ascontiguousarray(rays.directions @ pose.rotation.T.astype(np.float32))
        middle = _cast(world, pose.translation_m, directions, rays.spread)
        parts, pixels = [middle], np.arange(len(directions), dtype=np.int32)
        if len(self._offsets):
            edges = _edges(world, middle, rays)
            more = np.empty((len(edges) * len(self._offsets), 3), dtype=np.float32)
            more_rays(directions, rays.height_px, rays.width_px, edges, self._offsets, more)
            again = np.repeat(edges, len(self._offsets))
            parts.append(_cast(world, pose.translation_m, more, rays.spread[again]))
            pixels = np.concatenate([pixels, again])
        # 2. Their light, what falls before the lens, and the photograph.
        light = np.concatenate([light_of_samples(world, samples) for samples in parts])
        picture = np.empty((len(rays.directions), 3), dtype=np.float32)
        resolve(pixels, light, picture)
        shape = (rays.height_px, rays.width_px)
        picture = picture.reshape(*shape, 3)
        depth, instance, semantic = self._labels(middle, rays)
        camera = self.cameras.cameras[view]
        self._precipitation.draw(picture, depth, camera, pose, time_us, world.light)
        names = ("grain", self._seed, time_us, view)
        return WorldFrame(developed(picture, self._exposure, self._grain, names), depth, instance, semantic)

    def _rays_of(self, view: int) -> PixelRays:
        if view not in self._rays:
            self._rays[view] = pixel_rays(self.cameras.cameras[view])
        return self._rays[view]

    def _instant(self, index: int) -> Instant:
        with self._lock:
            if index not in self._instants:
                while len(self._instants) >= _INSTANTS_KEPT:
                    self._instants.pop(next(iter(self._instants)))
                self._instants[index] = self._actors.at(index)
            return self._instants[index]

    def _labels(self, middle: Samples, rays: PixelRays) -> tuple[Float32Array, npt.NDArray[np.int32], UInt8Array]:
        shape = (rays.height_px, rays.width_px)
        depth, instance = np.empty(len(middle.face), np.float32), np.empty(len(middle.face), np.int32)
        semantic = np.empty(len(middle.face), np.uint8)
        forward = np.array(rays.directions[:, 2])
        label(
            self._still.pictures, self._still.kinds, self._categories, forward, middle.distance_m, middle.face,
            middle.material, middle.owner, middle.place, depth, instance, semantic,
        )  # fmt: skip
        return depth.reshape(shape), instance.reshape(shape), semantic.reshape(shape)


def _cast(world: World, origin_m: npt.NDArray[np.float64], directions: Float32Array, spread: Float32Array) -> Samples:
    origins = np.array(np.broadcast_to(origin_m.astype(np.float32), directions.shape))
    return cast(world, origins, directions, spread)


def _edges(world: World, middle: Samples, rays: PixelRays) -> npt.NDArray[np.int32]:
    """Pixels that differ from a neighbour."""
    keys = np.concatenate([world.still_faces.key, world.moving_faces.key, np.array([-1])])
    found = np.empty(len(middle.face), dtype=np.int32)
    count = find_edges(keys[middle.face], middle.sunlit, rays.height_px, rays.width_px, found)
    return found[:count]
