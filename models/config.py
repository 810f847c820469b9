"""What a network looks like: one frozen dataclass, and the known networks as constants."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from .errors import CheckpointError, ShapeError

ViewMixing = Literal["joint", "neighbours", "decomposed"]
"""How views see each other.

joint: every token sees every other. neighbours: self-attention within a view, then attention to the
neighbouring views at the same time. decomposed: own view at all times and other views at the same time.
"""

ViewIdentity = Literal["channels", "adaln", "rays"]
"""How a view says which camera it is.

channels: a learned vector per camera as input channels. adaln: a learned shift, scale and gate per camera.
rays: direction and origin of every pixel's ray as input channels, so that no camera needs to be known.
"""

NeighbourMap = Literal["rig", "cosmos-7"]
"""Where the neighbours form takes its map from: the rig's overlap, or the published table of seven cameras."""

RAY_CHANNELS = 6

COSMOS_VIEWS = ("front_wide", "cross_right", "rear_right", "rear", "rear_left", "cross_left", "front_tele")
"""The seven cameras of Cosmos-Transfer2.5 auto/multiview; the place in this list is the view id."""

COSMOS_NEIGHBOURS: dict[int, tuple[int, ...]] = {
    0: (1, 5, 6), 1: (0, 2), 2: (1, 3), 3: (2, 4), 4: (3, 5), 5: (0, 4), 6: (0,),
}  # fmt: skip
"""The published map of neighbouring views, by view id."""


@dataclass(frozen=True)
class TransformerConfig:
    """Everything that decides which parameters a MultiViewTransformer has and what it computes.

    hidden_size: D, a multiple of num_heads. num_blocks: of the base. control_interval: a control block feeds
        base blocks 0, n, 2n, ...
    latent_channels: of video and control latents. control_zero_channels: zeros between control latents and masks.
    patch_size: latent cells per token and side.
    adaln_rank: of the low-rank modulation. mlp_ratio: hidden width of the MLP over D.
    text_channels: of an embedding before projection; text_width: after it. hint_block: seven layers on the control.
    num_views: rows of the view embedding (none for rays). view_channels: its width for ``channels``.
    rope_ratio_t, _h, _w: stretch of the rotary base per axis. round_rope_exponents: round the exponents to
        bfloat16, as the released weights were trained.
    max_tokens_h, _w, max_latent_frames: largest positions.
    clip_frames, width_px, height_px, fps: what the weights were trained on; other sizes run, out of distribution.
    """

    hidden_size: int
    num_heads: int
    num_blocks: int
    control_interval: int
    view_mixing: ViewMixing
    view_identity: ViewIdentity
    neighbour_map: NeighbourMap = "rig"
    hint_block: bool = False
    control_zero_channels: int = 0
    latent_channels: int = 16
    patch_size: int = 2
    mlp_ratio: float = 4.0
    adaln_rank: int = 256
    text_channels: int = 100352
    text_width: int = 1024
    num_views: int = 7
    view_channels: int = 7
    rope_ratio_t: float = 1.0
    rope_ratio_h: float = 3.0
    rope_ratio_w: float = 3.0
    round_rope_exponents: bool = False
    max_latent_frames: int = 128
    max_tokens_h: int = 120
    max_tokens_w: int = 120
    clip_frames: int = 29
    width_px: int = 1280
    height_px: int = 720
    fps: float = 10.0

    def __post_init__(self) -> None:
        for name, allowed in (
            ("view_mixing", get_args(ViewMixing)),
            ("view_identity", get_args(ViewIdentity)),
            ("neighbour_map", get_args(NeighbourMap)),
        ):
            if getattr(self, name) not in allowed:
                raise ShapeError(f"{name}: {getattr(self, name)!r} is none of {', '.join(allowed)}")
        self._require_numbers()
        if self.hidden_size % self.num_heads:
            raise ShapeError(f"hidden_size: {self.hidden_size} is not a multiple of num_heads, {self.num_heads}")
        if self.head_size % 2 or self.head_size < 12:
            raise ShapeError(f"hidden_size: a head of {self.head_size} is too small, it must be even and at least 12")
        if not 1 <= self.control_interval <= self.num_blocks:
            raise ShapeError(f"control_interval: {self.control_interval} is not within 1 to {self.num_blocks} blocks")
        if self.clip_frames % 4 != 1:
            raise ShapeError(f"clip_frames: {self.clip_frames} is not 4k+1")

    def _require_numbers(self) -> None:
        """Whole numbers are at least 1, but for one that may be 0, and others above 0."""
        for field in fields(self):
            value, least = getattr(self, field.name), int(field.name != "control_zero_channels")
            if field.type == "int" and not (isinstance(value, int) and value >= least):
                raise ShapeError(f"{field.name}: {value!r} is not a whole number of at least {least}")
            if field.type == "float" and not (isinstance(value, int | float) and value > 0):
                raise ShapeError(f"{field.name}: {value!r} is not a number above 0")

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_heads

    @property
    def control_places(self) -> tuple[int, ...]:
        """Base blocks after which a hint is added, one per control block."""
        return tuple(range(0, self.num_blocks, self.control_interval))

    @property
    def identity_channels(self) -> int:
        """Input channels that say which camera a view is."""
        return {"channels": self.view_channels, "adaln": 0, "rays": RAY_CHANNELS}[self.view_identity]

    @property
    def base_channels(self) -> int:
        """Input channels of the base: latents, known mask, padding mask, view identity."""
        return self.latent_channels + 2 + self.identity_channels

    @property
    def control_channels(self) -> int:
        """Input channels of the control branch: control latents, zeros, both masks, view identity."""
        return self.latent_channels + self.control_zero_channels + 2 + self.identity_channels

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for config.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any], where: str = "config.json") -> TransformerConfig:
        """The inverse of ``to_dict``; a CheckpointError names every unknown or missing field."""
        known = {field.name: field for field in fields(cls)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise CheckpointError(f"{where}: unknown {_fields(unknown)}. This version knows {', '.join(known)}")
        missing = [name for name in _REQUIRED if name not in values]
        if missing:
            raise CheckpointError(f"{where}: lacks {_fields(missing)}")
        try:
            return cls(**values)
        except (ShapeError, TypeError) as error:
            raise CheckpointError(f"{where}: {error}") from error


_REQUIRED = ("hidden_size", "num_heads", "num_blocks", "control_interval", "view_mixing", "view_identity")


def _fields(names: list[str]) -> str:
    return f"field{'s' if len(names) > 1 else ''} {', '.join(names)}"


COSMOS_2B_JOINT = TransformerConfig(
    hidden_size=2048,
    num_heads=16,
    num_blocks=28,
    control_interval=7,
    view_mixing="joint",
    view_identity="channels",
    hint_block=True,
    control_zero_channels=168,
    rope_ratio_t=8 / 24,
    round_rope_exponents=True,
)
"""Cosmos-Transfer2.5-2B auto/multiview, as released."""

COSMOS_2B_NEIGHBOURS = TransformerConfig(
    hidden_size=2048,
    num_heads=16,
    num_blocks=28,
    control_interval=4,
    view_mixing="neighbours",
    view_identity="adaln",
    neighbour_map="cosmos-7",
    round_rope_exponents=True,
)
"""The same size with attention between neighbouring cameras, a quarter of the work at seven views."""

TINY = TransformerConfig(
    hidden_size=256,
    num_heads=4,
    num_blocks=6,
    control_interval=2,
    view_mixing="neighbours",
    view_identity="rays",
    latent_channels=32,
    adaln_rank=32,
    text_channels=33,
    text_width=64,
    rope_ratio_h=1.0,
    rope_ratio_w=1.0,
    clip_frames=17,
    width_px=256,
    height_px=144,
)
"""Ours: small enough to train and to run on two CPU cores. Its text is the words of ``conditions``."""

PRESETS = {"cosmos-2b-joint": COSMOS_2B_JOINT, "cosmos-2b-neighbours": COSMOS_2B_NEIGHBOURS, "tiny": TINY}
