"""Poses in ClipGT tables: quaternions x,y,z,w, and beside them, where we wrote them, the exact rotation."""

from __future__ import annotations

import numpy as np

from ..arrays import BoolArray, FloatArray
from ..se3 import SE3
from .tables import Table

_AGREEMENT = 1e-4


def exact_poses(table: Table, location: str, orientation: str, allow_nan: bool = False) -> tuple[SE3, BoolArray]:
    """Poses [N] and where they are any, bool [N]: a quaternion of length zero, or a NaN, is the identity and False."""
    translation_m = table.vectors(*(f"{location}.{axis}" for axis in "xyz"), allow_nan=allow_nan)
    wxyz = table.vectors(*(f"{orientation}.{axis}" for axis in "wxyz"), allow_nan=allow_nan)
    finite = np.isfinite(translation_m).all(axis=1) & np.isfinite(wxyz).all(axis=1)
    usable: BoolArray = finite & (np.linalg.norm(np.where(finite[:, None], wxyz, 0.0), axis=1) > 1e-9)
    poses = SE3.from_quaternion(
        np.where(usable[:, None], wxyz, (1.0, 0.0, 0.0, 0.0)), np.where(usable[:, None], translation_m, 0.0)
    )
    if table.has("drivesim.rotation"):
        exact = table.number_lists("drivesim.rotation", 9).reshape(-1, 3, 3)
        poses = SE3(_agreeing(exact, poses.rotation), poses.translation_m)
    return poses, usable


def _agreeing(exact: FloatArray, nominal: FloatArray) -> FloatArray:
    """The exact rotations [N,3,3] where they are those of the quaternions, which win otherwise."""
    agrees = np.abs(exact - nominal).max(axis=(1, 2), initial=0) <= _AGREEMENT
    return np.where(agrees[:, None, None], exact, nominal)
