"""Which of the views that weights were trained with each camera of a rig stands for, and which views are neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from models.config import COSMOS_NEIGHBOURS, COSMOS_VIEWS, NeighbourMap
from scenegraph import Camera, CameraRig
from scenegraph.arrays import BoolArray, FloatArray
from scenegraph.formats.nvidia_names import VIEW_ORDER, canonical_camera_name

from .errors import DatasetError

# The seven cameras as they sit on the car (configs/rigs/cosmos-ftheta-7.yaml, made symmetric), by view id.
_HEADING_DEG = np.array([0.0, -68.0, -151.0, 180.0, 151.0, 68.0, 0.0])
_FIELD_OF_VIEW_DEG = np.array([120.0, 120.0, 70.0, 30.0, 70.0, 120.0, 30.0])
_FRONT_WIDE, _REAR, _FRONT_TELE = (COSMOS_VIEWS.index(name) for name in ("front_wide", "rear", "front_tele"))

# Costs of a match are squares of degrees. A degree of field of view counts a quarter of one of heading.
_FIELD_OF_VIEW_WEIGHT = 0.25
# The front camera is front_wide even if it is rather narrow: counts of its heading double, and front_tele costs extra,
# so that a lone front camera becomes it below 40 degrees only.
_FRONT_WIDE_HEADING_WEIGHT = 2.0
_FRONT_TELE_COST = 20.0**2
# A ring of seven without tele cameras has to give two of its side cameras the views on the car's axis. Leaning these
# a little makes them the same two for every car, whatever its calibration.
_LEAN_DEG = 2.0
_NAMED_COST = -1e9


@dataclass(frozen=True)
class ViewIds:
    """A view id for every camera of a rig.

    ids: distinct, in the order of the rig.
    exact: every camera has the name of its view.
    note: what a person should know about the match; empty for the rig that the weights were trained on.
    """

    ids: tuple[int, ...]
    exact: bool
    note: str


def assign_view_ids(rig: CameraRig, num_views: int = len(COSMOS_VIEWS)) -> ViewIds:
    """The view id of each camera, for weights that have learned ``num_views`` of them.

    Cameras with the name of a view (``camera_front_wide_120fov`` or ``front_wide``) are that view. Others get the
    ids that are left, by heading and horizontal field of view. The order of cameras does not matter.
    """
    known = min(num_views, len(COSMOS_VIEWS))
    if len(rig) > known:
        raise DatasetError(f"{len(rig)} cameras, but the weights know {known} views: choose some with --cameras")
    named = [_named_view(camera, known) for camera in rig]
    costs = np.stack([_costs(camera, view)[:known] for camera, view in zip(rig, named, strict=True)])  # [V,ids]
    # Among equally good matches the solver takes one by the order of rows.
    order = sorted(range(len(rig)), key=lambda view: (tuple(costs[view]), rig.cameras[view].name))
    ids = np.empty(len(rig), dtype=int)
    ids[order] = linear_sum_assignment(costs[order])[1]
    found = tuple(int(view) for view in ids)
    return ViewIds(found, found == tuple(named), _note(rig, found, named))


def neighbours_of(rig: CameraRig, view_ids: Sequence[int], neighbour_map: NeighbourMap) -> BoolArray:
    """Which views attend to which, bool [V,V], symmetric, False on the diagonal.

    rig: views that see a common part of the world. cosmos-7: the published table, by view id.
    """
    if neighbour_map == "rig":
        return rig.neighbours()
    return np.array([[other in COSMOS_NEIGHBOURS[view] for other in view_ids] for view in view_ids], dtype=bool)


def _named_view(camera: Camera, known: int) -> int | None:
    """The view that a camera is by its name."""
    name = canonical_camera_name(camera.name)
    for names in (VIEW_ORDER[:known], COSMOS_VIEWS[:known]):
        if name in names:
            return names.index(name)
    return None


def _costs(camera: Camera, named: int | None) -> FloatArray:
    """How badly a camera fits each of the seven views, in square degrees."""
    nominal_deg = _HEADING_DEG.copy()
    nominal_deg[_FRONT_TELE] -= _LEAN_DEG
    nominal_deg[_REAR] -= _LEAN_DEG
    turn_deg = (_heading_deg(camera) - nominal_deg + 180.0) % 360.0 - 180.0
    wider_deg = _field_of_view_deg(camera) - _FIELD_OF_VIEW_DEG
    costs = turn_deg**2
    costs[_FRONT_WIDE] *= _FRONT_WIDE_HEADING_WEIGHT
    costs += (_FIELD_OF_VIEW_WEIGHT * wider_deg) ** 2
    costs[_FRONT_TELE] += _FRONT_TELE_COST
    if named is not None:
        costs[named] = _NAMED_COST
    return costs


def _heading_deg(camera: Camera) -> float:
    """Yaw of the optical axis: 0 forward, positive to the left."""
    x, y = camera.ego_from_camera.rotation[:2, 2]
    return float(np.degrees(np.arctan2(y, x)))


def _field_of_view_deg(camera: Camera) -> float:
    """Angle between the rays of the left and right edge, through the axis and at its height."""
    edges = [[-0.5, camera.lens.cy_px], [camera.width_px - 0.5, camera.lens.cy_px]]
    x, y, z = np.ascontiguousarray(camera.unproject(edges).T)
    return float(np.degrees(np.arctan2(np.hypot(x, y), z)).sum())


def _note(rig: CameraRig, ids: Sequence[int], named: Sequence[int | None]) -> str:
    """One sentence about what is unlike training; empty if nothing is."""
    guessed = [
        f"{camera.name} as {COSMOS_VIEWS[view]}"
        for camera, view, name in zip(rig, ids, named, strict=True)
        if view != name
    ]
    if guessed:
        return (
            f"The weights know their cameras by name, so these were matched by heading and field of view: "
            f"{', '.join(guessed)}. That is out of the training distribution; expect lower quality."
        )
    if len(ids) < len(COSMOS_VIEWS):
        return (
            f"{len(ids)} of the {len(COSMOS_VIEWS)} cameras that the weights were always trained with together: "
            f"out of the training distribution; expect lower quality."
        )
    return ""
