"""The vehicles of a traffic simulation at one moment: where on which route, how fast, how far through a lane change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .car_following import Drivers
from .classes import KINDS
from .planned import Driver
from .route import Route
from .traffic_routes import Routes

_CLOSE_M = 1e-9
_RECOVERY_PER_S = 0.06


class Fleet:
    """N vehicles; every array is [N] and changes as they drive.

    route: number of the way. station_m: of the rear axle on it. speed_mps, acceleration_mps2: along it.
    patience: share of the usual time gap that one is content with now; grows back to 1.
    is_there: on the map still. may_go: allowed to pass the next line to wait at.
    side_m, slope: of the rear axle to the left of the route, and how that changes per metre.
    """

    def __init__(self, drivers: Sequence[Driver], routes: Routes) -> None:
        self.drivers = tuple(drivers)
        self.routes = routes
        self.width_m = _column(drivers, lambda d: d.body.width_m)
        self.ahead_m = _column(drivers, lambda d: d.body.front_m)
        self.behind_m = _column(drivers, lambda d: d.body.rear_m)
        self.axle_m = _column(drivers, lambda d: d.body.rear_axle_m)
        self.strongest_mps2 = _column(drivers, lambda d: 0.85 * KINDS[d.category].limits.braking_mps2)
        self.reacts = np.array([d.reacts for d in drivers], dtype=bool)
        self.route = np.array([routes.number(d.lane_id, d.turn) for d in drivers], dtype=np.int64)
        self.station_m = _column(drivers, lambda d: d.station_m) - self.axle_m
        self.speed_mps = _column(drivers, lambda d: d.speed_mps)
        self.acceleration_mps2 = np.zeros(len(drivers))
        self.is_there: BoolArray = np.ones(len(drivers), dtype=bool)
        self.may_go: BoolArray = np.zeros(len(drivers), dtype=bool)
        self.patience = np.ones(len(drivers))
        self.shift_from_m = self.station_m.copy()
        self.shift_over_m = np.ones(len(drivers))
        self._curve = np.zeros((len(drivers), 6))
        self._wishes = Drivers(
            np.array([np.inf if d.desired_mps is None else d.desired_mps for d in drivers]),
            _column(drivers, lambda d: d.time_gap_s),
            _column(drivers, lambda d: d.standstill_gap_m),
            _column(drivers, lambda d: d.acceleration_mps2),
            _column(drivers, lambda d: d.braking_mps2),
        )
        self._factor = _column(drivers, lambda d: d.limit_factor)
        self._fastest = _column(drivers, lambda d: KINDS[d.category].limits.speed_mps)

    def __len__(self) -> int:
        return len(self.drivers)

    # -- where ------------------------------------------------------------------------------------

    @property
    def front_m(self) -> FloatArray:
        """Station of the front bumper."""
        return np.asarray(self.station_m + self.ahead_m)

    @property
    def rear_m(self) -> FloatArray:
        """Station of the rear bumper."""
        return np.asarray(self.station_m - self.behind_m)

    @property
    def is_shifting(self) -> BoolArray:
        """Whether the way to the side is not over yet."""
        return np.asarray(self.station_m - self.shift_from_m < self.shift_over_m)

    @property
    def _share(self) -> FloatArray:
        return np.clip((self.station_m - self.shift_from_m) / self.shift_over_m, 0.0, 1.0)

    @property
    def side_m(self) -> FloatArray:
        """Metres to the left of the route."""
        powers = self._share[:, None] ** np.arange(6)
        return np.asarray((self._curve * powers).sum(axis=1))

    @property
    def slope(self) -> FloatArray:
        """Change of that per metre."""
        powers = np.arange(1, 6) * self._share[:, None] ** np.arange(5)
        return np.asarray((self._curve[:, 1:] * powers).sum(axis=1) / self.shift_over_m)

    @property
    def bend_per_m(self) -> FloatArray:
        """Change of the slope per metre."""
        powers = np.arange(1, 5) * np.arange(2, 6) * self._share[:, None] ** np.arange(4)
        return np.asarray((self._curve[:, 2:] * powers).sum(axis=1) / self.shift_over_m**2)

    # -- how --------------------------------------------------------------------------------------

    def wishes(self) -> Drivers:
        """Everybody's parameters here: the desired speed heeds the limit and bends."""
        limit, bend = self.routes.speeds_mps(self.route, self.station_m)
        wished = np.where(np.isfinite(self._wishes.desired_mps), self._wishes.desired_mps, self._factor * limit)
        desired = np.minimum(np.minimum(wished, bend), self._fastest)
        own = self._wishes
        return Drivers(
            desired, own.time_gap_s * self.patience, own.standstill_gap_m, own.acceleration_mps2, own.braking_mps2
        )

    def route_of(self, index: int) -> Route:
        """The way of one of them."""
        return self.routes.all[int(self.route[index])]

    # -- moving -----------------------------------------------------------------------------------

    def advance(self, step_s: float) -> None:
        """Drive on for a moment with the accelerations as they are; nobody rolls back."""
        speed = np.maximum(0.0, self.speed_mps + self.acceleration_mps2 * step_s)
        moved = (self.speed_mps + speed) / 2 * step_s
        curvature = self.routes.curvatures(self.route, self.station_m)
        slope, side = self.slope, self.side_m
        stretch = np.hypot(np.maximum(1 - curvature * side, 0.2), slope)
        self.station_m = np.where(self.is_there, self.station_m + moved / stretch, self.station_m)
        self.speed_mps = speed
        self.patience = np.minimum(1.0, self.patience + _RECOVERY_PER_S * step_s)

    def point_m(self, index: int) -> FloatArray:
        """Where the rear axle of one is, [3]."""
        at, side = self.station_m[index : index + 1], self.side_m[index : index + 1]
        return np.asarray(self.route_of(index).path.points(at, side)[0])

    def change_route(self, index: int, number: int, station_m: float, over_m: float) -> None:
        """Carry on along another route, near a station of it, from just where, as and in the bend one is now.

        over_m: on this length it moves over to the middle of that route, on a quintic.
        """
        point, yaw, curvature = self.point_m(index), float(self.yaws_rad(np.array([index]))[0]), self._curvature(index)
        route = self.routes.all[number]
        path = route.path
        station, side = _nearest_on(route, point, station_m)
        at = np.array([station])
        turned = yaw - float(route.headings_at(at)[0])
        own = float(path.curvatures(at)[0])
        slope = float(np.tan(turned) * (1 - own * side))
        bend = _bend_for(curvature, own, side, slope)
        self.route[index], self.station_m[index] = number, station
        self.shift_from_m[index], self.shift_over_m[index] = station, over_m
        self._curve[index] = _quintic(side, slope * over_m, bend * over_m**2)

    def _curvature(self, index: int) -> float:
        """Of what the rear axle of one describes, per metre; that of the route is taken as even."""
        route, at = self.route_of(index), self.station_m[index : index + 1]
        own, side, slope = float(route.path.curvatures(at)[0]), float(self.side_m[index]), float(self.slope[index])
        stretch = np.hypot(1 - own * side, slope)
        turned = (float(self.bend_per_m[index]) * (1 - own * side) + own * slope**2) / stretch**2
        return float((own + turned) / stretch)

    def yaws_rad(self, index: IntArray) -> FloatArray:
        """Headings of some of them."""
        yaw = np.zeros(len(index))
        for place, one in enumerate(index.tolist()):
            route, at = self.route_of(one), self.station_m[one : one + 1]
            bent = 1 - float(route.path.curvatures(at)[0]) * float(self.side_m[one])
            yaw[place] = float(route.headings_at(at)[0]) + np.arctan2(self.slope[one], bent)
        return yaw


def _column(drivers: Sequence[Driver], read: Callable[[Driver], float]) -> FloatArray:
    return np.array([read(driver) for driver in drivers], dtype=np.float64)


def _quintic(start: float, slope: float, bend: float) -> FloatArray:
    """Coefficients [6] of the curve from ``start`` with a slope and a bend to 0, level and without bend at the end."""
    cubic = -10 * start - 6 * slope - 1.5 * bend
    quartic = 15 * start + 8 * slope + 1.5 * bend
    return np.array([start, slope, bend / 2, cubic, quartic, -6 * start - 3 * slope - bend / 2])


def _bend_for(curvature: float, own: float, side_m: float, slope: float) -> float:
    """How a slope must change per metre, beside a route of curvature ``own``, to describe a curvature."""
    stretch = np.hypot(1 - own * side_m, slope)
    return float(((curvature * stretch - own) * stretch**2 - own * slope**2) / (1 - own * side_m))


def _nearest_on(route: Route, point_m: FloatArray, station_m: float) -> tuple[float, float]:
    """Station and side of a point on the smooth curve of a route, from a station that is nearly right."""
    path = route.path
    for _ in range(8):
        at = np.clip(np.array([station_m]), path.first_m, path.last_m)
        heading = float(route.headings_at(at)[0])
        off = (point_m - path.points(at)[0])[:2]
        ahead = off @ (np.cos(heading), np.sin(heading))
        left = float(off @ (-np.sin(heading), np.cos(heading)))
        if abs(ahead) < _CLOSE_M:
            break
        station_m = float(at[0] + ahead / max(1 - float(path.curvatures(at)[0]) * left, 0.2))
    return float(at[0]), left
