"""The network: video latents, control latents and text in, a velocity out, for all views of a clip at once.

The architecture of Cosmos-Transfer2.5 multi-view (arXiv:2511.00062), with NVIDIA's parameter names, so that released
weights load without a map. V is an axis of every tensor; number of views, frames and picture size are free.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .attention import NeighbourGroup, neighbour_groups
from .block import Block, BlockContext, ControlBlock
from .config import TransformerConfig
from .errors import ShapeError
from .layers import FinalLayer, PatchEmbed, RMSNorm, Sinusoid, TimeMLP
from .layout import WHOLE, Layout
from .rope import Rotary, rotary_table
from .step_cache import StepCache

_TIME_SCALE = 0.001
_HINT_LAYERS = 7


@dataclass(frozen=True)
class Conditioning:
    """What does not change from step to step, computed once per clip by ``MultiViewTransformer.prepare``.

    channels: known mask, padding mask and view identity [B,V,C,L,h,w]. control: what the control branch
    adds to the embedded latents, [B,V,L,S,D]. view: modulation per camera or None. text: projected [B,V,N,C].
    """

    channels: Tensor
    control: Tensor
    view: Tensor | None
    text: Tensor
    rotary: Rotary
    neighbours: tuple[NeighbourGroup, ...]


class MultiViewTransformer(nn.Module):
    """Predicts noise - clean latents of every view of a clip."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        width, rank = config.hidden_size, config.adaln_rank
        self.x_embedder = PatchEmbed(config.base_channels, config.patch_size, width)
        self.control_embedder = PatchEmbed(config.control_channels, config.patch_size, width)
        self.t_embedder = nn.Sequential(Sinusoid(width), TimeMLP(width))
        self.t_embedding_norm = RMSNorm(width)
        self.crossattn_proj = nn.Sequential(nn.Linear(config.text_channels, config.text_width), nn.GELU())
        if config.view_identity == "channels":
            self.view_embeddings = nn.Embedding(config.num_views, config.view_channels)
        if config.view_identity == "adaln":
            self.adaln_view_embedder = nn.Embedding(config.num_views, width)
            self.adaln_view_proj = nn.Linear(width, 9 * width)
        if config.hint_block:
            self.input_hint_block = nn.Sequential(
                *(layer for _ in range(_HINT_LAYERS) for layer in (nn.Linear(width, width), nn.SiLU()))
            )
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_blocks))
        self.control_blocks = nn.ModuleList(
            ControlBlock(config, is_first=index == 0) for index in range(len(config.control_places))
        )
        self.final_layer = FinalLayer(width, rank, config.patch_size, config.latent_channels)
        self.layout: Layout = WHOLE

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return self.x_embedder.proj[1].weight.dtype  # type: ignore[return-value]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.x_embedder.proj[1].weight.device  # type: ignore[return-value]

    def project_text(self, embeddings: Tensor) -> Tensor:
        """Text embeddings [...,N,text_channels] as what the blocks attend to, [...,N,text_width]."""
        projected: Tensor = self.crossattn_proj(embeddings.to(self.device, self.dtype))
        return projected

    def prepare(
        self,
        control: Tensor,
        text: Tensor,
        *,
        known: Tensor | None = None,
        view_ids: Tensor | None = None,
        rays: Tensor | None = None,
        neighbours: Tensor | None = None,
        padding: Tensor | None = None,
    ) -> Conditioning:
        """Everything that does not depend on the noisy latents or the step.

        control: latents of the control videos [B,V,C,L,h,w]. text: projected, [B,V,N,text_width].
        known: 1 for latent frames that are given, [B,V,L], default none.
        view_ids: int64 [V] or [B,V], for learned view identities, default 0..V-1.
        rays: direction and origin of the ray through every latent cell, [V,6,h,w] or [B,V,6,h,w], ego frame, metres.
        neighbours: bool [V,V], row sees column, for the neighbours form.
        padding: 1 where a picture is padding, [B,H,W] at any size, default nowhere.
        """
        _require_latents("control", control, self.config)
        batch, views, _, frames, height, width = control.shape
        _require_rows("text", text, (batch, views))
        control = control.to(self.device, self.dtype)
        masks = self._masks(control, known, padding)
        identity = self._identity_channels(control, view_ids, rays)
        channels = torch.cat((masks, *identity), dim=2)
        zeros = control.new_zeros(batch, views, self.config.control_zero_channels, frames, height, width)
        embedded = self.control_embedder(torch.cat((control, zeros, channels), dim=2))
        embedded = self.layout.split_tokens(self.layout.split_views(embedded, 1), 3)
        if self.config.hint_block:
            embedded = self.input_hint_block(embedded)
        patch = self.config.patch_size
        table = rotary_table(self.config, frames, height // patch, width // patch, self.device)
        return Conditioning(
            channels,
            self.control_blocks[0].before_proj(embedded),  # type: ignore[operator]
            self._view_modulation(batch, views, view_ids),
            self.layout.split_views(text, 1),
            Rotary(*(self.layout.split_tokens(part, 1) for part in table)),
            self._groups(views, neighbours),
        )

    def forward(
        self,
        latents: Tensor,
        timesteps: Tensor,
        conditioning: Conditioning,
        control_weight: float = 1.0,
        cache: StepCache | None = None,
    ) -> Tensor:
        """The velocity, fp32 [B,V,C,L,h,w].

        latents: noisy, known frames already put in, [B,V,C,L,h,w]. timesteps: 0 to 1000, [B] or [B,V,L].
        """
        context = self._context(timesteps, conditioning)
        x = self.x_embedder(torch.cat((latents.to(self.dtype), conditioning.channels), dim=2))
        x = self.layout.split_tokens(self.layout.split_views(x, 1), 3)
        control = conditioning.control + x
        weight = torch.tensor(control_weight, dtype=x.dtype, device=x.device)
        places = {place: index for index, place in enumerate(self.config.control_places)}
        before = None if cache is None else x
        for index, block in enumerate(self.blocks):
            x = block(x, context)
            if index in places:
                control_block = self.control_blocks[places[index]]
                control = control_block(control, context)
                x = x + weight * control_block.after_proj(control)  # type: ignore[operator]
            if cache is not None and before is not None and index == 0:
                first, gained = x, x - before
                if cache.is_close(gained, self.layout):
                    x = first + cache.rest
                    break
        else:
            if cache is not None:
                cache.store(gained, x - first)
        patches = self.final_layer(x, context.time, context.shared)
        return self.final_layer.unpatchify(self.layout.join(patches), latents.shape[-2] // self.config.patch_size)

    def _context(self, timesteps: Tensor, conditioning: Conditioning) -> BlockContext:
        scaled = timesteps.to(self.device).float() * _TIME_SCALE
        scaled = scaled.reshape(-1, 1, 1) if scaled.ndim < 3 else self.layout.split_views(scaled, 1)
        sinusoid = self.t_embedder[0](scaled).unsqueeze(3)  # [B,1|V,1|L,1,D]
        return BlockContext(
            self.t_embedding_norm(sinusoid),
            self.t_embedder[1](sinusoid),
            conditioning.view,
            conditioning.text,
            conditioning.rotary,
            conditioning.neighbours,
        )

    def _masks(self, control: Tensor, known: Tensor | None, padding: Tensor | None) -> Tensor:
        """Known frames and padding as two channels [B,V,2,L,h,w]."""
        batch, views, _, frames, height, width = control.shape
        shape = (batch, views, 1, frames, height, width)
        if known is None:
            known = control.new_zeros(batch, views, frames)
        _require_rows("known mask", known, (batch, views, frames))
        known = known.to(control)[:, :, None, :, None, None].expand(shape)
        if padding is None:
            return torch.cat((known, control.new_zeros(shape)), dim=2)
        resized = functional.interpolate(padding[:, None].to(control), size=(height, width), mode="nearest")
        return torch.cat((known, resized[:, None, :, None].expand(shape)), dim=2)

    def _identity_channels(self, control: Tensor, view_ids: Tensor | None, rays: Tensor | None) -> Iterable[Tensor]:
        """The channels that say which camera a view is, [B,V,C,L,h,w]; none for adaln."""
        batch, views, _, frames, height, width = control.shape
        if self.config.view_identity == "channels":
            ids = self._view_ids(views, view_ids).expand(batch, views)
            rows = self.view_embeddings(ids)
            yield rows[..., None, None, None].expand(-1, -1, -1, frames, height, width)
        if self.config.view_identity == "rays":
            if rays is None:
                raise ShapeError("rays: this network knows cameras by their rays, and none were given")
            if rays.shape[-4:] != (views, self.config.identity_channels, height, width):
                raise ShapeError(
                    f"rays: expected [V,C,h,w] = {[views, self.config.identity_channels, height, width]}, "
                    f"got {list(rays.shape)}"
                )
            yield rays.to(control).unsqueeze(-3).expand(batch, -1, -1, frames, -1, -1)

    def _view_modulation(self, batch: int, views: int, view_ids: Tensor | None) -> Tensor | None:
        """Shift, scale and gate per camera for the three sublayers, fp32 [3,1|B,V,1,1,3D]."""
        if self.config.view_identity != "adaln":
            return None
        ids = self.layout.split_views(self._view_ids(views, view_ids), 1)
        projection = self.adaln_view_proj
        rows = functional.linear(
            self.adaln_view_embedder(ids).float(), projection.weight.float(), projection.bias.float()
        )
        return torch.stack(rows[:, :, None, None].chunk(3, dim=-1))

    def _view_ids(self, views: int, view_ids: Tensor | None) -> Tensor:
        """Ids [1|B,V] on the device."""
        most = self.config.num_views
        if view_ids is None:
            view_ids = torch.arange(views)
        if view_ids.shape[-1] != views:
            raise ShapeError(f"view ids: {view_ids.shape[-1]} for {views} views")
        if int(view_ids.max()) >= most or int(view_ids.min()) < 0:
            raise ShapeError(f"view ids: {view_ids.flatten().tolist()} are not all from 0 to {most - 1}")
        return view_ids.reshape(-1, views).to(self.device)

    def _groups(self, views: int, neighbours: Tensor | None) -> tuple[NeighbourGroup, ...]:
        if self.config.view_mixing != "neighbours":
            return ()
        if neighbours is None:
            raise ShapeError("neighbours: this network mixes neighbouring views, and no map of them was given")
        if neighbours.shape != (views, views):
            raise ShapeError(f"neighbours: expected [V,V] = [{views},{views}], got {list(neighbours.shape)}")
        return neighbour_groups(self.layout.split_neighbours(neighbours.bool()).to(self.device))


def _require_latents(name: str, latents: Tensor, config: TransformerConfig) -> None:
    patch, channels = config.patch_size, config.latent_channels
    if latents.ndim != 6 or latents.shape[2] != channels:
        raise ShapeError(f"{name}: expected latents [B,V,{channels},L,h,w], got {list(latents.shape)}")
    height, width = latents.shape[-2:]
    if height % patch or width % patch:
        raise ShapeError(f"{name}: latents of {width}x{height} cells cannot be cut into patches of {patch}x{patch}")


def _require_rows(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(tensor.shape[: len(shape)]) != shape:
        raise ShapeError(f"{name}: expected {list(shape)} first, got {list(tensor.shape)}")
