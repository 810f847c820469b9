"""ClipGT: NVIDIA's parquet clips, and our own scene format on disk.

A folder of ``CLIP.TABLE.parquet`` files, one row per item, each with a struct column ``key``, one named like the
table, and ``version``. World metres (x forward, y left, z up), microseconds, quaternions x,y,z,w. Frame times, if
the log has them, lie in ``CLIP.camera_front_wide_120fov.json``.

Written scenes are read back exactly. What ClipGT lacks is kept in one more struct column, ``drivesim``, which
other readers pass over:

    calibration_estimate   world_origin_m, source_keys, source_values
    egomotion_estimate     rotation (nine numbers, row by row)
    obstacle               rotation, source_category, extrapolate_us, max_gap_us (empty: every gap is bridged)
    lane                   id, predecessors, successors, left_neighbour, right_neighbour, lane_type,
                           is_intersection, speed_limit_mps
    traffic_light          id, rotation, state_timestamps_us, states
    traffic_sign           id, rotation
    other map tables       id

The tables' own columns win: an exact rotation is used only where it agrees with the quaternion beside it, so a
scene edited by another tool is read as edited. Tables without ``drivesim`` follow the rules of NVIDIA's loader.
"""

from .clipgt_read import read_clipgt
from .clipgt_write import write_clipgt

__all__ = ["read_clipgt", "write_clipgt"]
