"""Rigid transforms, one or a whole array of them.

Named ``dst_from_src``: ``world_from_camera = world_from_ego @ ego_from_camera``.
Quaternions are w,x,y,z; other orders are converted where a file is read or written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from .arrays import FloatArray, all_finite, as_float
from .errors import FrameError

_ORTHONORMAL_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class SE3:
    """Rotation and translation from a source frame to a destination frame.

    rotation: float64 [...,3,3], proper and orthonormal.
    translation_m: float64 [...,3].
    """

    rotation: FloatArray
    translation_m: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotation", as_float(self.rotation))
        object.__setattr__(self, "translation_m", as_float(self.translation_m))
        if self.rotation.shape[-2:] != (3, 3) or self.translation_m.shape != self.rotation.shape[:-1]:
            raise FrameError(
                f"SE3: expected rotation [...,3,3] with translation [...,3], "
                f"got {list(self.rotation.shape)} with {list(self.translation_m.shape)}"
            )

    # -- making one ---------------------------------------------------------------------------

    @classmethod
    def identity(cls, *shape: int) -> SE3:
        """The identity, or an array of identities of this shape."""
        return cls(np.broadcast_to(np.eye(3), (*shape, 3, 3)), np.zeros((*shape, 3)))

    @classmethod
    def from_matrix(cls, matrix: Any) -> SE3:
        """From homogeneous matrices [...,4,4]; refuses NaN, a wrong last row and anything but a rotation."""
        matrix = np.asarray(matrix, dtype=np.float64)
        if matrix.shape[-2:] != (4, 4):
            raise FrameError(f"pose matrix: expected [...,4,4], got {list(matrix.shape)}")
        _require_finite("pose matrix", matrix)
        if not np.allclose(matrix[..., 3, :], (0, 0, 0, 1), atol=1e-6):
            raise FrameError("pose matrix: the last row is not 0 0 0 1")
        rotation = matrix[..., :3, :3]
        gram = np.swapaxes(rotation, -1, -2) @ rotation
        if np.abs(gram - np.eye(3)).max(initial=0) > _ORTHONORMAL_TOLERANCE or (np.linalg.det(rotation) < 0).any():
            raise FrameError("pose matrix: the 3x3 part is not a rotation (orthonormal, determinant +1)")
        return cls(rotation, matrix[..., :3, 3])

    @classmethod
    def from_quaternion(cls, wxyz: Any, translation_m: Any) -> SE3:
        """From quaternions [...,4] in w,x,y,z order (normalised here) and translations [...,3]."""
        wxyz = np.asarray(wxyz, dtype=np.float64)
        translation_m = np.asarray(translation_m, dtype=np.float64)
        if wxyz.shape[-1:] != (4,):
            raise FrameError(f"quaternion: expected [...,4], got {list(wxyz.shape)}")
        _require_finite("pose", wxyz, translation_m)
        largest = np.abs(wxyz).max(axis=-1, keepdims=True)
        if (largest < 1e-9).any():
            raise FrameError("a quaternion of length zero is no rotation")
        flat = (wxyz / largest).reshape(-1, 4)[:, [1, 2, 3, 0]]
        rotation = Rotation.from_quat(flat).as_matrix() if len(flat) else np.zeros((0, 3, 3))
        return cls(rotation.reshape(*wxyz.shape[:-1], 3, 3), translation_m)

    @classmethod
    def from_roll_pitch_yaw_deg(cls, roll_pitch_yaw_deg: Any, translation_m: Any) -> SE3:
        """R = Rz(yaw) Ry(pitch) Rx(roll), angles in degrees (fixed axes x, y, z in that order)."""
        roll_pitch_yaw_deg = np.asarray(roll_pitch_yaw_deg, dtype=np.float64)
        translation_m = np.asarray(translation_m, dtype=np.float64)
        _require_finite("pose", roll_pitch_yaw_deg, translation_m)
        return cls(Rotation.from_euler("xyz", roll_pitch_yaw_deg, degrees=True).as_matrix(), translation_m)

    @classmethod
    def from_yaw(cls, yaw_rad: Any, translation_m: Any) -> SE3:
        """Rotation about +z only; yaw [...] and translation [...,3]."""
        yaw_rad = np.asarray(yaw_rad, dtype=np.float64)
        translation_m = np.asarray(translation_m, dtype=np.float64)
        _require_finite("pose", yaw_rad, translation_m)
        rotation = np.zeros((*yaw_rad.shape, 3, 3))
        cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
        rotation[..., 0, 0], rotation[..., 0, 1] = cos, -sin
        rotation[..., 1, 0], rotation[..., 1, 1] = sin, cos
        rotation[..., 2, 2] = 1.0
        return cls(rotation, translation_m)

    @classmethod
    def stack(cls, poses: Sequence[SE3]) -> SE3:
        """Poses of one shape as an array with a new first axis."""
        return cls(np.stack([p.rotation for p in poses]), np.stack([p.translation_m for p in poses]))

    # -- reading one --------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array of transforms; () for a single one."""
        return self.translation_m.shape[:-1]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a single SE3 has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[SE3]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: Any) -> SE3:
        index = index if isinstance(index, tuple) else (index,)
        return SE3(self.rotation[(*index, slice(None), slice(None))], self.translation_m[(*index, slice(None))])

    @property
    def matrix(self) -> FloatArray:
        """Homogeneous matrices [...,4,4]."""
        matrix = np.zeros((*self.shape, 4, 4))
        matrix[..., :3, :3] = self.rotation
        matrix[..., :3, 3] = self.translation_m
        matrix[..., 3, 3] = 1.0
        return matrix

    @property
    def quaternion_wxyz(self) -> FloatArray:
        """Unit quaternions [...,4], w,x,y,z, with w >= 0."""
        flat = self.rotation.reshape(-1, 3, 3)
        if not len(flat):
            return np.zeros((*self.shape, 4))
        xyzw = Rotation.from_matrix(flat).as_quat(canonical=True)
        return np.asarray(xyzw[:, [3, 0, 1, 2]].reshape(*self.shape, 4))

    @property
    def yaw_rad(self) -> FloatArray:
        """Heading of the source x axis about destination z, [...] in (-pi, pi]."""
        # Copies: where numpy's arctan2 of a strided array lies in memory may decide about its last bit.
        return np.asarray(np.arctan2(self.rotation[..., 1, 0].copy(), self.rotation[..., 0, 0].copy()))

    # -- algebra ------------------------------------------------------------------------------

    def __matmul__(self, other: SE3) -> SE3:
        rotation = self.rotation @ other.rotation
        moved = (self.rotation @ other.translation_m[..., None])[..., 0]
        return SE3(rotation, moved + self.translation_m)

    def inverse(self) -> SE3:
        """src_from_dst."""
        transposed = np.swapaxes(self.rotation, -1, -2)
        return SE3(transposed, -(transposed @ self.translation_m[..., None])[..., 0])

    def apply(self, points: Any) -> FloatArray:
        """Points [3] or [...,N,3] from the source to the destination frame; array axes broadcast."""
        points = np.asarray(points, dtype=np.float64)
        if points.ndim == 1:
            return np.asarray((self.rotation @ points) + self.translation_m)
        return np.asarray(points @ np.swapaxes(self.rotation, -1, -2) + self.translation_m[..., None, :])

    def interpolate(self, other: SE3, fraction: Any) -> SE3:
        """Linear position and slerp rotation towards ``other``: 0 gives self, 1 gives other.

        fraction: [...]; below 0 and above 1 it goes on with the same linear velocity and the same
        angular velocity in the body frame. The shorter way round is taken.
        """
        fraction = np.asarray(fraction, dtype=np.float64)
        shape = np.broadcast_shapes(self.shape, other.shape, fraction.shape)
        start = Rotation.from_matrix(np.broadcast_to(self.rotation, (*shape, 3, 3)).reshape(-1, 3, 3))
        end = Rotation.from_matrix(np.broadcast_to(other.rotation, (*shape, 3, 3)).reshape(-1, 3, 3))
        turn = (start.inv() * end).as_rotvec() * np.broadcast_to(fraction, shape).reshape(-1, 1)
        rotation = (start * Rotation.from_rotvec(turn)).as_matrix().reshape(*shape, 3, 3)
        step = other.translation_m - self.translation_m
        return SE3(rotation, self.translation_m + step * fraction[..., None])


def _require_finite(what: str, *arrays: FloatArray) -> None:
    if not all(all_finite(array) for array in arrays):
        raise FrameError(f"{what} holds NaN or infinity")
