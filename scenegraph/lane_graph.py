"""How lanes connect, and which lane a place belongs to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import shapely

from .arrays import FloatArray
from .errors import MapError
from .hdmap import HDMap, LaneSegment


@dataclass(frozen=True, eq=False)
class LanePosition:
    """A place relative to a lane: arc length along its centre line, metres to the left of it."""

    lane: LaneSegment
    station_m: float
    lateral_m: float


class LaneGraph:
    """Lane segments by id, their connections, and a search tree over their centre lines.

    Ids that lead out of the map are left out of every answer.
    """

    def __init__(self, hdmap: HDMap) -> None:
        self._lanes = {lane.id: lane for lane in hdmap.lane_segments}
        self._order = list(self._lanes)
        centres = [shapely.LineString(lane.centre.points_m[:, :2]) for lane in self._lanes.values()]
        self._tree = shapely.STRtree(centres)
        outlines = [shapely.Polygon(lane.outline[:, :2]) for lane in self._lanes.values()]
        self._outlines = dict(zip(self._order, shapely.make_valid(np.array(outlines, dtype=object)), strict=True))
        shapely.prepare(list(self._outlines.values()))

    def __len__(self) -> int:
        return len(self._lanes)

    def __contains__(self, lane_id: str) -> bool:
        return lane_id in self._lanes

    def __getitem__(self, lane_id: str) -> LaneSegment:
        if lane_id not in self._lanes:
            raise MapError(f"the map has no lane {lane_id!r}")
        return self._lanes[lane_id]

    def successors(self, lane_id: str) -> tuple[LaneSegment, ...]:
        """Lanes that can be driven next."""
        return self._present(self[lane_id].successors)

    def predecessors(self, lane_id: str) -> tuple[LaneSegment, ...]:
        """Lanes that lead here."""
        return self._present(self[lane_id].predecessors)

    def left_neighbour(self, lane_id: str) -> LaneSegment | None:
        """The lane to the left, whatever its direction."""
        return self._lanes.get(self[lane_id].left_neighbour or "")

    def right_neighbour(self, lane_id: str) -> LaneSegment | None:
        """The lane to the right, whatever its direction."""
        return self._lanes.get(self[lane_id].right_neighbour or "")

    def nearest_lane(
        self, point_m: FloatArray, heading_rad: float | None = None, max_distance_m: float = 50.0
    ) -> LanePosition | None:
        """The lane whose centre line is nearest in the ground plane, None if none within ``max_distance_m``.

        With a heading, lanes whose direction there differs by more than 90 degrees are passed over.
        A lane that contains the point wins over one whose centre line happens to be nearer.
        """
        place = shapely.Point(float(point_m[0]), float(point_m[1]))
        found = self._tree.query(place, predicate="dwithin", distance=max_distance_m)
        best: tuple[tuple[bool, float], LanePosition] | None = None
        for index in sorted(found):
            lane = self._lanes[self._order[index]]
            station_m, lateral_m = lane.centre.locate(point_m)
            if heading_rad is not None and not _agrees(lane, station_m, heading_rad):
                continue
            rank = (not shapely.intersects(self._outlines[lane.id], place), abs(lateral_m))
            if best is None or rank < best[0]:
                best = rank, LanePosition(lane, station_m, lateral_m)
        return best[1] if best else None

    def route(self, start_id: str, goal_id: str) -> tuple[LaneSegment, ...] | None:
        """Fewest lanes from start to goal over successors, both included; None if it cannot be reached."""
        self[goal_id]
        came_from: dict[str, str | None] = {self[start_id].id: None}
        queue = deque([start_id])
        while queue:
            current = queue.popleft()
            if current == goal_id:
                path = [current]
                while (previous := came_from[path[-1]]) is not None:
                    path.append(previous)
                return tuple(self._lanes[i] for i in reversed(path))
            for lane in self.successors(current):
                if lane.id not in came_from:
                    came_from[lane.id] = current
                    queue.append(lane.id)
        return None

    def _present(self, ids: tuple[str, ...]) -> tuple[LaneSegment, ...]:
        return tuple(self._lanes[i] for i in ids if i in self._lanes)


def _agrees(lane: LaneSegment, station_m: float, heading_rad: float) -> bool:
    ahead, behind = lane.centre.at(np.array([station_m + 0.5, station_m - 0.5]))
    direction = ahead[:2] - behind[:2]
    return bool(direction @ (np.cos(heading_rad), np.sin(heading_rad)) >= 0)
