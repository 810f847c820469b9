"""Roads made to measure.

    made = made_road(RoadSpec(FourWay(arm_m=100), lanes=2, oncoming_lanes=1))
    lane_id, station_m = made.start(lane=0, station_m=40)
    states = made.light_states(duration_us=20_000_000)

The ego's road comes from the west. It begins at (0, 0) where there is no junction; junctions have (0, 0) in their
middle. The network is made for right-hand traffic; left-hand traffic is its mirror image in the x axis, but for
curves, which bend to the side that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import MapError
from ..hdmap import HDMap
from ..lane_graph import LaneGraph
from ..scene import LightTimeline
from .junctions import junction_roads
from .light_cycles import fixed_cycle
from .merging import merging_roads
from .mirroring import mirrored_network
from .network import RoadNetwork, SignalGroup
from .open_roads import Draft, open_road
from .road_spec import Curve, FourWay, Merge, RoadSpec, Roundabout, TJunction
from .roundabout import roundabout_roads
from .surface import build_hdmap


@dataclass(frozen=True, eq=False)
class MadeRoad:
    """A made network and its map.

    ego_lanes: lane ids of the ego's road up to its junction, from the right edge (left in left-hand traffic), each
    lane as its segments in driving order.
    light_groups: ids of lights that show the same; group 0 is the ego's approach and the opposite one.
    """

    spec: RoadSpec
    network: RoadNetwork
    hdmap: HDMap
    ego_lanes: tuple[tuple[str, ...], ...]
    light_groups: tuple[tuple[str, ...], ...]

    def start(self, lane: int, station_m: float) -> tuple[str, float]:
        """The lane segment and the station on it, for a place on the ego's road.

        lane: from 0 at the right edge (left in left-hand traffic). station_m: from where the road begins.
        """
        if not 0 <= lane < len(self.ego_lanes):
            raise MapError(f"the ego's road has lanes 0 to {len(self.ego_lanes) - 1}, there is no lane {lane}")
        graph, left_m = LaneGraph(self.hdmap), station_m
        for lane_id in self.ego_lanes[lane]:
            length_m = graph[lane_id].centre.length_m
            if 0 <= left_m <= length_m:
                return lane_id, left_m
            left_m -= length_m
        raise MapError(f"the ego's road is {station_m - left_m:.0f} m long, it has no place at {station_m:g} m")

    def light_states(
        self,
        duration_us: int,
        start_us: int = 0,
        green_s: float = 20.0,
        yellow_s: float = 3.0,
        seed: int | None = None,
    ) -> dict[str, LightTimeline]:
        """What every light shows in a fixed cycle; see ``light_cycles.fixed_cycle``."""
        return fixed_cycle(self.light_groups, duration_us, start_us, green_s, yellow_s, seed)


def made_road(spec: RoadSpec) -> MadeRoad:
    """The road that was asked for. The same spec always makes the same bytes."""
    draft = _draft(spec)
    groups = tuple(SignalGroup(str(number), lights) for number, lights in enumerate(draft.light_groups))
    name = type(spec.layout).__name__
    network = RoadNetwork(draft.roads, draft.junctions, groups, name=name, source={"format": "made road"})
    if spec.left_hand:
        network = mirrored_network(network)
    side = -1 if spec.left_hand else 1
    ego_lanes = tuple(tuple(f"{k.road}:{k.section}:{side * k.lane}" for k in keys) for keys in draft.ego_lanes)
    return MadeRoad(spec, network, build_hdmap(network), ego_lanes, draft.light_groups)


def _draft(spec: RoadSpec) -> Draft:
    layout = spec.layout
    if isinstance(layout, TJunction | FourWay):
        return junction_roads(spec, layout)
    if isinstance(layout, Roundabout):
        return roundabout_roads(spec, layout)
    if isinstance(layout, Merge):
        return merging_roads(spec, layout)
    if isinstance(layout, Curve) and spec.left_hand:
        layout = replace(layout, angle_deg=-layout.angle_deg)
    return open_road(spec, layout)
