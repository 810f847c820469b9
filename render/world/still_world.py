"""Everything that does not move: the ground with its paint, what stands on it, the lamps on their posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from scenegraph import Actor, ClipCameras, Scene
from scenegraph.arrays import FloatArray
from scenegraph.scene import EGO_EXTRAPOLATION_US

from ..raycast import TriangleScene
from .contact import Contact, open_sky
from .drivable import drivable_area
from .faces import Faces, faces_of
from .ground import ground_of
from .lamps import lamp_places
from .look import Look
from .mesh import Mesh, joined
from .paint import GroundPictures, paint_ground
from .place_styles import likely_place
from .semantic import SemanticClass
from .surroundings import surrounding_parts

_REACH_M: Final = 160.0
_WAY_POINTS: Final = 60
_WAY_BESIDE_M: Final = 0.3


@dataclass(frozen=True, eq=False)
class StillWorld:
    """What is built once per clip.

    triangles, faces: of the ground and all that stands on it. kinds: uint8 [F], the semantic class of every face.
    pictures: what the ground looks like. open_sky: how much of the sky the ground sees. lamps_m: street lamps [K,3].
    """

    triangles: TriangleScene
    faces: Faces
    kinds: npt.NDArray[np.uint8]
    pictures: GroundPictures
    open_sky: Contact
    lamps_m: FloatArray


def still_world(scene: Scene, cameras: ClipCameras, look: Look, seed: int) -> StillWorld:
    """The surroundings of a scene, built around the ego's whole path so that all clips of a scene agree."""
    path = scene.ego.world_from_body.translation_m
    filmed = scene.ego.at(cameras.timestamps_us, EGO_EXTRAPOLATION_US).translation_m
    place = look.place or likely_place(scene.hdmap)
    ground = ground_of(scene)
    parts: Mapping[SemanticClass, Mesh] = surrounding_parts(
        scene.hdmap, place, look.season, seed, path, _REACH_M, ground.z, ways_of(scene.actors)
    )
    meshes = {SemanticClass.TERRAIN: ground.mesh(), **parts}
    still = joined(meshes.values())
    kinds = np.concatenate([np.full(len(mesh.triangles), kind, np.uint8) for kind, mesh in meshes.items()])
    triangles = TriangleScene(still.vertices_m, still.triangles)
    return StillWorld(
        triangles,
        faces_of(still),
        kinds,
        paint_ground(scene.hdmap, drivable_area(scene.hdmap, path), filmed, look, place, seed),
        open_sky(triangles, filmed, ground.z),
        lamp_places(still),
    )


def ways_of(actors: tuple[Actor, ...]) -> Any:
    """Everywhere that actors stand or go, a shapely geometry: nothing may be built there."""
    feet = []
    for actor in actors:
        track = actor.trajectory
        chosen = np.unique(np.linspace(0, len(track) - 1, min(len(track), _WAY_POINTS)).round().astype(np.int64))
        half = np.stack([actor.length_m[chosen], actor.width_m[chosen]], axis=-1) / 2 + _WAY_BESIDE_M
        corners = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * half[:, None, :]
        pose = track.world_from_body[chosen]
        flat = np.concatenate([corners, np.zeros((*corners.shape[:2], 1))], axis=-1)
        feet.append(shapely.polygons(pose.apply(flat)[..., :2]))
        if len(chosen) > 1:
            line = shapely.LineString(pose.translation_m[:, :2])
            feet.append(np.array([line.buffer(float(half[:, 1].min()), quad_segs=2)]))
    return shapely.union_all(np.concatenate(feet)) if feet else shapely.Polygon()
