"""Everything that does not move: the ground with its paint, what stands on it, the lamps on their posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components

from scenegraph import ClipCameras, Scene
from scenegraph.arrays import FloatArray
from scenegraph.scene import EGO_EXTRAPOLATION_US

from ..raycast import TriangleScene
from .contact import Contact, open_sky
from .drivable import drivable_area
from .faces import Faces, faces_of
from .ground import ground_of
from .guessed_roads import map_of
from .lamps import lamp_places
from .look import Look
from .mesh import Material, Mesh, joined
from .paint import GroundPictures, paint_ground
from .place_styles import likely_place
from .placement import swept_area
from .seeds import generator
from .semantic import SemanticClass
from .surroundings import surrounding_parts

_REACH_M: Final = 160.0
_LIT_SHARE: Final = 0.4


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
    hdmap = map_of(scene)
    place = look.place or likely_place(hdmap)
    ground = ground_of(scene)
    parts: Mapping[SemanticClass, Mesh] = surrounding_parts(
        hdmap, place, look.season, seed, path, _REACH_M, ground.z, swept_area(scene.actors)
    )
    meshes = {SemanticClass.TERRAIN: ground.mesh(), **parts}
    still = joined(meshes.values())
    kinds = np.concatenate([np.full(len(mesh.triangles), kind, np.uint8) for kind, mesh in meshes.items()])
    triangles = TriangleScene(still.vertices_m, still.triangles)
    return StillWorld(
        triangles,
        faces_of(with_lit_windows(still, seed)),
        kinds,
        paint_ground(hdmap, drivable_area(hdmap, path), filmed, look, place),
        open_sky(triangles, filmed, ground.z),
        lamp_places(still),
    )


def with_lit_windows(mesh: Mesh, seed: int) -> Mesh:
    """The same with light behind some of its panes: in uv of glass stands how bright and how warm it is at night."""
    glass = np.flatnonzero(mesh.material == Material.GLASS)
    if not len(glass):
        return mesh
    corners = mesh.triangles[glass]
    ends = corners[:, [0, 1, 0]].ravel(), corners[:, [1, 2, 2]].ravel()
    links = sparse.coo_matrix((np.ones(len(ends[0])), ends), shape=(len(mesh.vertices_m),) * 2)
    count, pane_of_vertex = connected_components(links, directed=False)
    rng = generator("windows", seed)
    bright = np.where(rng.random(count) < _LIT_SHARE, rng.uniform(0.05, 0.16, count), 0.0)
    warm = np.where(rng.random(count) < 0.75, rng.uniform(0.6, 1.0, count), rng.uniform(0.0, 0.3, count))
    uv = mesh.uv_m.copy()
    pane = pane_of_vertex[corners[:, 0]]
    uv[glass] = np.stack([bright[pane], warm[pane]], axis=1)[:, None, :]
    return replace(mesh, uv_m=uv)
