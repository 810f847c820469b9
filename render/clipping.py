"""World geometry to screen primitives: cull, move to the camera, clip at the near plane, project.

Everything is clipped in camera space before projection, so nothing that crosses the camera plane is bent.

A primitive is one row of three arrays: ``xyz`` [P,3,3] holds u, v in pixels and depth z in metres of up to
three vertices, ``rgb`` [P,3,3] their colours with the depth fade applied, ``half_width`` [P] half the width of
a line piece in pixels, 0 for a triangle. A line piece uses the first two vertices. Row order is drawing order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scenegraph.arrays import FloatArray

from .compiling import njit
from .palette import BOX_EDGE_RGB, BOX_EDGE_WIDTH_PX, FADE_DISTANCE_M
from .projection import NEAR_M, project_point

_MERGE_PX = 2.0
_MERGE_M = 5.0
"""Line pieces shorter than both, on screen and in depth, are joined with the next one of their strip.

In five metres of depth a line loses 0.3 px of its width and 7 levels of its colour."""


class Primitives:
    """Reusable buffers for the primitives of one picture; they grow when a picture needs more."""

    def __init__(self, capacity: int = 4096) -> None:
        self.count = 0
        self._allocate(capacity)

    def _allocate(self, capacity: int) -> None:
        self.xyz: FloatArray = np.zeros((capacity, 3, 3))
        self.rgb: FloatArray = np.zeros((capacity, 3, 3))
        self.half_width: FloatArray = np.zeros(capacity)

    def clear(self) -> None:
        """Forget all primitives, keep the memory."""
        self.count = 0

    def reserve(self, more: int) -> None:
        """Make room for ``more`` rows after those in use."""
        needed = self.count + more
        if needed <= len(self.half_width):
            return
        old = self.xyz[: self.count], self.rgb[: self.count], self.half_width[: self.count]
        self._allocate(max(needed, 2 * len(self.half_width)))
        self.xyz[: self.count], self.rgb[: self.count], self.half_width[: self.count] = old


@njit
def _fade(z: float) -> float:
    return min(max(1.0 - z / FADE_DISTANCE_M, 0.0), 1.0)


@njit
def _outside(cx: float, cy: float, cz: float, r: float, frustum: Any) -> bool:
    """Whether a ball lies wholly outside of the picture's pyramid, behind the camera or beyond the fade."""
    if cz + r < NEAR_M or cz - r > FADE_DISTANCE_M:
        return True
    low, high = frustum[0], frustum[1]
    if low > -np.inf and cx - low * cz < -r * np.sqrt(1.0 + low * low):
        return True
    if high < np.inf and cx - high * cz > r * np.sqrt(1.0 + high * high):
        return True
    low, high = frustum[2], frustum[3]
    if low > -np.inf and cy - low * cz < -r * np.sqrt(1.0 + low * low):
        return True
    return bool(high < np.inf and cy - high * cz > r * np.sqrt(1.0 + high * high))


@njit
def _add_line(
    count: int, u0: float, v0: float, z0: float, u1: float, v1: float, z1: float,
    rgb: Any, width: float, size: Any, xyz_out: Any, rgb_out: Any, half_out: Any,
) -> int:  # fmt: skip
    """Append one projected piece unless it is invisible; returns the new count.

    Beyond the fade distance it is cut, on screen as the reference does: width and colour there are next to nothing.
    """
    half = 0.5 * width * min(max(1.0 - (z0 + z1) / (2.0 * FADE_DISTANCE_M), 0.0), 1.0)
    if half <= 0.0:
        return count
    fade0, fade1 = _fade(z0), _fade(z1)
    if z0 > FADE_DISTANCE_M:
        f = (FADE_DISTANCE_M - z1) / (z0 - z1)
        u0, v0, z0, fade0 = u1 + f * (u0 - u1), v1 + f * (v0 - v1), FADE_DISTANCE_M, fade1 * (1.0 - f)
    if z1 > FADE_DISTANCE_M:
        f = (FADE_DISTANCE_M - z0) / (z1 - z0)
        u1, v1, z1, fade1 = u0 + f * (u1 - u0), v0 + f * (v1 - v0), FADE_DISTANCE_M, fade0 * (1.0 - f)
    if max(u0, u1) + half < 0.0 or min(u0, u1) - half > size[0]:
        return count
    rise = half * size[1] / size[0]  # widths are those of a picture stretched to a square
    if max(v0, v1) + rise < 0.0 or min(v0, v1) - rise > size[1]:
        return count
    xyz_out[count, 0, 0], xyz_out[count, 0, 1], xyz_out[count, 0, 2] = u0, v0, z0
    xyz_out[count, 1, 0], xyz_out[count, 1, 1], xyz_out[count, 1, 2] = u1, v1, z1
    for c in range(3):
        rgb_out[count, 0, c] = rgb[c] * fade0
        rgb_out[count, 1, c] = rgb[c] * fade1
    half_out[count] = half
    return count + 1


@njit
def add_strips(
    points: Any, starts: Any, chunks: Any, balls: Any, chunk_rgb: Any, chunk_width: Any,
    pose: Any, numbers: Any, radius: Any, frustum: Any, count: int, xyz_out: Any, rgb_out: Any, half_out: Any,
) -> int:  # fmt: skip
    """Append the pieces of all strips that the camera can see; returns the new count.

    pose: [3,4] camera_from_world. Room for one row per point is needed.
    """
    size = (numbers[13], numbers[14])
    for chunk in range(chunks.shape[0]):
        bx, by, bz = balls[chunk, 0], balls[chunk, 1], balls[chunk, 2]
        cx = pose[0, 0] * bx + pose[0, 1] * by + pose[0, 2] * bz + pose[0, 3]
        cy = pose[1, 0] * bx + pose[1, 1] * by + pose[1, 2] * bz + pose[1, 3]
        cz = pose[2, 0] * bx + pose[2, 1] * by + pose[2, 2] * bz + pose[2, 3]
        if _outside(cx, cy, cz, balls[chunk, 3], frustum):
            continue
        rgb, width = chunk_rgb[chunk], chunk_width[chunk]
        begin, end = chunks[chunk, 0], chunks[chunk, 1]
        # Previous point in the camera frame, and the last emitted end on screen (valid while `open`).
        px = py = pz = 0.0
        u0 = v0 = z0 = 0.0
        is_open = False
        for m in range(begin, end):
            wx, wy, wz = points[m, 0], points[m, 1], points[m, 2]
            x = pose[0, 0] * wx + pose[0, 1] * wy + pose[0, 2] * wz + pose[0, 3]
            y = pose[1, 0] * wx + pose[1, 1] * wy + pose[1, 2] * wz + pose[1, 3]
            z = pose[2, 0] * wx + pose[2, 1] * wy + pose[2, 2] * wz + pose[2, 3]
            joined = m > begin and not starts[m]
            in_front = z >= NEAR_M
            if joined and (in_front or pz >= NEAR_M):
                if not is_open:  # the piece begins here: at the previous point, or where it comes through the plane
                    sx, sy, sz = px, py, pz
                    if pz < NEAR_M:
                        f = (NEAR_M - pz) / (z - pz)
                        sx, sy, sz = px + f * (x - px), py + f * (y - py), NEAR_M
                    u0, v0 = project_point(sx, sy, sz, numbers, radius)
                    z0 = sz
                    is_open = True
                ex, ey, ez = x, y, z
                if not in_front:
                    f = (NEAR_M - pz) / (z - pz)
                    ex, ey, ez = px + f * (x - px), py + f * (y - py), NEAR_M
                u1, v1 = project_point(ex, ey, ez, numbers, radius)
                last = m == end - 1 or not in_front or starts[m + 1]
                if last or abs(u1 - u0) + abs(v1 - v0) >= _MERGE_PX or abs(ez - z0) >= _MERGE_M:
                    count = _add_line(count, u0, v0, z0, u1, v1, ez, rgb, width, size, xyz_out, rgb_out, half_out)
                    u0, v0, z0 = u1, v1, ez
                    is_open = in_front and not last
            else:
                is_open = False
            px, py, pz = x, y, z
    return count


@njit
def _clip(inside: Any, inside_rgb: Any, n: int, plane_z: float, keep_above: bool, out: Any, out_rgb: Any) -> int:
    """Clip a convex polygon of n vertices [n,3] at z = plane_z; colours follow. Returns the new n."""
    kept = 0
    for i in range(n):
        j = (i + 1) % n
        zi, zj = inside[i, 2], inside[j, 2]
        in_i = zi >= plane_z if keep_above else zi <= plane_z
        in_j = zj >= plane_z if keep_above else zj <= plane_z
        if in_i:
            for c in range(3):
                out[kept, c], out_rgb[kept, c] = inside[i, c], inside_rgb[i, c]
            kept += 1
        if in_i != in_j:
            f = (plane_z - zi) / (zj - zi)
            for c in range(3):
                out[kept, c] = inside[i, c] + f * (inside[j, c] - inside[i, c])
                out_rgb[kept, c] = inside_rgb[i, c] + f * (inside_rgb[j, c] - inside_rgb[i, c])
            out[kept, 2] = plane_z
            kept += 1
    return kept


@njit
def _add_triangle(
    corners: Any, rgb: Any, numbers: Any, radius: Any, work: Any, count: int, xyz_out: Any, rgb_out: Any, half_out: Any
) -> int:
    """Clip one camera-frame triangle [3,3] with vertex colours [3,3] at both planes, project, append its parts.

    work: [4,8,3] scratch. At most three triangles come out.
    """
    n = _clip(corners, rgb, 3, NEAR_M, True, work[0], work[1])
    if n < 3:
        return count
    n = _clip(work[0], work[1], n, FADE_DISTANCE_M, False, work[2], work[3])
    if n < 3:
        return count
    polygon, colours = work[2], work[3]
    low_u = low_v = np.inf
    high_u = high_v = -np.inf
    for i in range(n):
        u, v = project_point(polygon[i, 0], polygon[i, 1], polygon[i, 2], numbers, radius)
        polygon[i, 0], polygon[i, 1] = u, v
        low_u, high_u, low_v, high_v = min(low_u, u), max(high_u, u), min(low_v, v), max(high_v, v)
        fade = _fade(polygon[i, 2])
        for c in range(3):
            colours[i, c] *= fade
    if high_u <= 0.0 or low_u >= numbers[13] or high_v <= 0.0 or low_v >= numbers[14]:
        return count
    for i in range(1, n - 1):
        for c in range(3):
            xyz_out[count, 0, c], rgb_out[count, 0, c] = polygon[0, c], colours[0, c]
            xyz_out[count, 1, c], rgb_out[count, 1, c] = polygon[i, c], colours[i, c]
            xyz_out[count, 2, c], rgb_out[count, 2, c] = polygon[i + 1, c], colours[i + 1, c]
        half_out[count] = 0.0
        count += 1
    return count


@njit
def add_triangles(
    vertices: Any, colours: Any, pose: Any, numbers: Any, radius: Any,
    count: int, xyz_out: Any, rgb_out: Any, half_out: Any,
) -> int:  # fmt: skip
    """Append filled world triangles [K,3,3] of one colour each [K,3]; needs room for 3 K rows."""
    work = np.zeros((4, 8, 3))
    corners = np.zeros((3, 3))
    rgb = np.zeros((3, 3))
    for k in range(vertices.shape[0]):
        for i in range(3):
            wx, wy, wz = vertices[k, i, 0], vertices[k, i, 1], vertices[k, i, 2]
            for c in range(3):
                corners[i, c] = pose[c, 0] * wx + pose[c, 1] * wy + pose[c, 2] * wz + pose[c, 3]
                rgb[i, c] = colours[k, c]
        count = _add_triangle(corners, rgb, numbers, radius, work, count, xyz_out, rgb_out, half_out)
    return count


@njit
def add_boxes(
    box_corners: Any, corner_rgb: Any, present: Any, faces: Any, edges: Any,
    pose: Any, numbers: Any, radius: Any, frustum: Any, count: int, xyz_out: Any, rgb_out: Any, half_out: Any,
) -> int:  # fmt: skip
    """Append boxes [A,8,3] with corner colours [A,8,3], each its faces and then its edges; needs 48 A rows."""
    work = np.zeros((4, 8, 3))
    corners = np.zeros((8, 3))
    triangle = np.zeros((3, 3))
    rgb = np.zeros((3, 3))
    size = (numbers[13], numbers[14])
    edge_rgb = np.array(BOX_EDGE_RGB, dtype=np.float64)
    for a in range(box_corners.shape[0]):
        if not present[a]:
            continue
        middle = np.zeros(3)
        for i in range(8):
            wx, wy, wz = box_corners[a, i, 0], box_corners[a, i, 1], box_corners[a, i, 2]
            for c in range(3):
                corners[i, c] = pose[c, 0] * wx + pose[c, 1] * wy + pose[c, 2] * wz + pose[c, 3]
                middle[c] += corners[i, c] / 8.0
        reach = 0.0
        for c in range(3):
            reach += (corners[0, c] - middle[c]) ** 2
        if _outside(middle[0], middle[1], middle[2], np.sqrt(reach), frustum):
            continue
        for f in range(faces.shape[0]):
            for i in range(3):
                for c in range(3):
                    triangle[i, c] = corners[faces[f, i], c]
                    rgb[i, c] = corner_rgb[a, faces[f, i], c]
            count = _add_triangle(triangle, rgb, numbers, radius, work, count, xyz_out, rgb_out, half_out)
        for e in range(edges.shape[0]):
            i, j = edges[e, 0], edges[e, 1]
            if corners[i, 2] < NEAR_M:
                i, j = j, i
            x0, y0, z0 = corners[i, 0], corners[i, 1], corners[i, 2]
            x1, y1, z1 = corners[j, 0], corners[j, 1], corners[j, 2]
            if z0 < NEAR_M:
                continue
            if z1 < NEAR_M:
                f = (NEAR_M - z0) / (z1 - z0)
                x1, y1, z1 = x0 + f * (x1 - x0), y0 + f * (y1 - y0), NEAR_M
            u0, v0 = project_point(x0, y0, z0, numbers, radius)
            u1, v1 = project_point(x1, y1, z1, numbers, radius)
            count = _add_line(
                count, u0, v0, z0, u1, v1, z1, edge_rgb, BOX_EDGE_WIDTH_PX, size, xyz_out, rgb_out, half_out
            )
    return count
