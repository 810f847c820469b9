"""The multi-view generator: control videos, prompts and known frames in, synchronised frames of all cameras out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from .captions import arrange
from .codec import Codec, decode_frames, encode_frames
from .conditions import ConditionText
from .config import RAY_CHANNELS, TransformerConfig
from .cost import ClipShape, activation_bytes, require_memory
from .errors import ShapeError
from .flow import Known, guided, initial_noise, known_mask, sample
from .parallel import ALONE, Processes
from .request import GenerationRequest, Progress, Regime, quiet
from .rope import rotary_angles
from .shapes import SPATIAL_FACTOR, UInt8Array, expect, latent_frame_count
from .step_cache import StepCache
from .transformer import Conditioning, MultiViewTransformer
from .tuning import Tuning, tune


class TextSource(Protocol):
    """Where text embeddings come from: an encoder, or a cache of what one made."""

    def identity(self) -> dict[str, Any]:
        """What tells its embeddings from those of others."""
        ...

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Embeddings [U,N,C] of texts [U]."""
        ...


class MultiViewGenerator:
    """Samples clips with a MultiViewTransformer.

    transformer, codec: on the device where they shall run. text: see TextSource.
    weights: what to write into provenance about where the weights came from.
    processes: who takes part, see ``parallel``; all of them must call ``generate`` with the same request.
    """

    def __init__(
        self,
        transformer: MultiViewTransformer,
        codec: Codec,
        text: TextSource,
        *,
        weights: dict[str, Any] | None = None,
        tuning: Tuning | None = None,
        processes: Processes = ALONE,
    ) -> None:
        if codec.latent_channels != transformer.config.latent_channels:
            raise ShapeError(
                f"codec: makes {codec.latent_channels} latent channels, and the network was made for "
                f"{transformer.config.latent_channels}"
            )
        self.transformer, self.codec, self.text = transformer.eval(), codec, text
        self.processes = processes
        self.tuning = tuning or Tuning()
        self._weights = weights or {}
        self._projected: dict[str, Tensor] = {}
        tune(transformer, self.tuning)
        processes.apply(transformer)

    @property
    def config(self) -> TransformerConfig:
        """Of the network."""
        return self.transformer.config

    @property
    def regime(self) -> Regime:
        """What the weights were trained on."""
        return regime_of(self.config, self.codec.spatial_factor)

    def identity(self) -> dict[str, Any]:
        """Everything beside the request that decides the frames."""
        return {
            "kind": "multi-view",
            "network": self.config.to_dict(),
            "dtype": str(self.transformer.dtype).removeprefix("torch."),
            "weights": self._weights,
            "codec": self.codec.identity(),
            "text": self.text.identity(),
            "attention": self.tuning.attention,
        }

    def generate(self, request: GenerationRequest, progress: Progress = quiet) -> UInt8Array:
        """Frames uint8 [V,T,H,W,3] RGB. Deterministic for a machine, a dtype and a number of processes."""
        frames, _ = self.generate_with_latents(request, progress)
        return frames

    @torch.inference_mode()
    def generate_with_latents(
        self, request: GenerationRequest, progress: Progress = quiet
    ) -> tuple[UInt8Array, Tensor]:
        """Frames, and the latents [V,C,L,h,w] they were decoded from."""
        self.check(request)
        latents = self._sampled(request, progress)
        progress("Decoding", 0, 1)
        frames = self.processes.spread_views(latents, lambda part: decode_frames(self.codec, part))
        progress("Decoding", 1, 1)
        return frames, latents

    def _sampled(self, request: GenerationRequest, progress: Progress) -> Tensor:
        """Latents [V,C,L,h,w] of a clip; all that is needed on the way is free again afterwards."""
        # 1. What the network is given.
        positive_text, negative_text = self._texts(request, progress)
        progress("Encoding control videos", 0, 1)
        control = self._encode(request.control)
        known = self.processes.together(lambda: self._known(request, control))
        progress("Encoding control videos", 1, 1)
        noise = initial_noise(control.shape[1:], request.seed).to(control.device)
        positive = self._prepare(request, control, positive_text, known)
        negative = replace(positive, text=self.transformer.layout.split_views(negative_text, 1))

        # 2. From noise to latents.
        steps = request.sampling.steps
        done = iter(range(1, steps + 1))
        progress("Sampling", 0, steps)
        latents = sample(
            self._velocity(request, positive, negative),
            noise,
            known,
            request.sampling,
            lambda: progress("Sampling", next(done), steps),
        )
        return latents[0]

    def check(self, request: GenerationRequest) -> None:
        """Refuse before any long work what this network cannot do."""
        config = self.config
        views, frames, height, width = request.control.shape[:4]
        cell = self.codec.spatial_factor * config.patch_size
        if height % cell or width % cell:
            raise ShapeError(f"control: sides of {width}x{height} are not both multiples of {cell} pixels, one token")
        if config.view_identity != "rays":
            bad = [view for view in request.ids if not 0 <= view < config.num_views]
            if bad:
                raise ShapeError(f"view ids: {bad[0]} is not one of the {config.num_views} cameras this network knows")
        elif request.rays is None:
            raise ShapeError("rays: this network knows cameras by their rays, and the request has none")
        else:
            expect("rays", request.rays, f"{views} {RAY_CHANNELS} {height // 8} {width // 8}", np.float32)
        if config.view_mixing == "neighbours" and request.neighbours is None:
            raise ShapeError("neighbours: this network mixes neighbouring views, and the request has no map of them")
        self._check_known_latents(request)
        shape = ClipShape(views, latent_frame_count(frames), height // 8, width // 8)
        rotary_angles(config, shape.latent_frames, height // cell, width // cell)  # refuses more than it has positions
        self.processes.check(config, shape)
        needed = self._memory_bytes(request, shape)
        what = f"{views} views of {frames} frames at {width}x{height}"
        self.processes.together(lambda: require_memory(needed, self.transformer.device, what))

    @torch.inference_mode()
    def embed(self, request: GenerationRequest) -> None:
        """Embed the prompts of a request now, or refuse those that cannot be."""
        self._texts(request, quiet)

    def _memory_bytes(self, request: GenerationRequest, shape: ClipShape) -> int:
        """Of a process at its largest, beside the weights: in the network, or when a view is decoded."""
        guides = request.sampling.guidance > 0
        passes = activation_bytes(
            self.config,
            shape,
            self.transformer.dtype.itemsize,
            self.tuning.piece,
            None if request.neighbours is None else int(request.neighbours.sum()),
            0 if request.sampling.cache_threshold is None else 1 + guides,
        )
        frames, height, width = request.control.shape[1:4]
        return max(passes // self.processes.shares, self.codec.working_bytes(frames, height, width))

    def _check_known_latents(self, request: GenerationRequest) -> None:
        if request.known_latents is None:
            return
        most = max(request.known_latent_counts)
        if not most:
            raise ShapeError("known latents: given without the known frames they belong to")
        views, _, height, width = request.control.shape[:4]
        channels = self.config.latent_channels
        shape = f"{views} {channels} {most - 1} {height // 8} {width // 8}"
        expect("known latents", request.known_latents, shape, np.float32)

    def _texts(self, request: GenerationRequest, progress: Progress) -> tuple[Tensor, Tensor]:
        """Projected text of every view with and against the prompt, [1,V,N,C] each; every text is projected once."""
        # Weights that know conditions instead of language were trained with the caption on every view.
        mode = "per_view" if isinstance(self.text, ConditionText) else request.caption_mode
        captions = arrange(request.prompts, request.negative_prompt, request.camera_names, request.ids, mode)
        negative = captions.negative if request.sampling.guidance else captions.positive  # without, nobody reads it
        texts = [captions.texts[place] for place in (*captions.positive, *negative)]
        missing = [text for text in dict.fromkeys(texts) if text not in self._projected]
        if missing:
            progress("Embedding prompts", 0, 1)
            is_first = self.processes.is_first  # one encoder, however many GPUs
            made = self.processes.together(lambda: self.text.encode(missing).cpu() if is_first else None)
            embeddings = self.processes.agree(made)
            expect("text embeddings", embeddings, f"{len(missing)} N {self.config.text_channels}")
            self._projected |= zip(missing, map(self.transformer.project_text, embeddings), strict=True)
            progress("Embedding prompts", 1, 1)
        rows = torch.stack([self._projected[text] for text in texts])[None]
        return rows[:, : len(request.ids)], rows[:, len(request.ids) :]

    def _encode(self, frames: UInt8Array) -> Tensor:
        """Latents [1,V,C,L,h,w] on the network's device."""
        latents = self.processes.spread_views(frames, lambda part: encode_frames(self.codec, part))
        return latents.to(self.transformer.device)[None]

    def _known(self, request: GenerationRequest, control: Tensor) -> Known:
        """Only the known frames are encoded: the codec is causal."""
        latents = torch.zeros_like(control)
        for view, frames in enumerate(request.known_frames):
            if not len(frames):
                continue
            if request.known_latents is None:
                latents[0, view, :, : latent_frame_count(len(frames))] = encode_frames(self.codec, frames[None])[0]
                continue
            given = torch.tensor(request.known_latents[view])
            latents[0, view, :, :1] = encode_frames(self.codec, frames[None, :1])[0]
            latents[0, view, :, 1 : 1 + given.shape[1]] = given
        return Known(latents, known_mask(request.known_latent_counts, control.shape[3]).to(control.device))

    def _prepare(self, request: GenerationRequest, control: Tensor, text: Tensor, known: Known) -> Conditioning:
        return self.transformer.prepare(
            control,
            text,
            known=known.mask,
            view_ids=torch.tensor(request.ids),
            rays=None if request.rays is None else torch.tensor(request.rays),
            neighbours=None if request.neighbours is None else torch.tensor(request.neighbours),
        )

    def _velocity(self, request: GenerationRequest, positive: Conditioning, negative: Conditioning) -> Any:
        """The guided velocity of latents at a timestep; one pass where guidance is off."""
        sampling = request.sampling
        # One per side, and one for steps without guidance: those are taken by processes of both sides.
        threshold = sampling.cache_threshold
        with_prompt, against, alone = (None if threshold is None else StepCache(threshold) for _ in range(3))

        def one(latents: Tensor, timesteps: Tensor, given: Conditioning, cache: StepCache | None) -> Tensor:
            velocity: Tensor = self.transformer(latents, timesteps, given, sampling.control_weight, cache)
            return velocity

        def velocity(latents: Tensor, timesteps: Tensor, way: float) -> Tensor:
            if not sampling.guides(way):
                return one(latents, timesteps, positive, alone)
            sides = ((positive, with_prompt), (negative, against))
            conditional, unconditional = self.processes.both_sides(lambda side: one(latents, timesteps, *sides[side]))
            return guided(conditional, unconditional, sampling.guidance)

        return velocity


def regime_of(config: TransformerConfig, spatial_factor: int = SPATIAL_FACTOR) -> Regime:
    """What weights of this network were trained on."""
    return Regime(
        width_px=config.width_px,
        height_px=config.height_px,
        fps=config.fps,
        clip_frames=config.clip_frames,
        multiple_px=spatial_factor * config.patch_size,
        known_views=None if config.view_identity == "rays" else config.num_views,
        neighbour_map=config.neighbour_map if config.view_mixing == "neighbours" else None,
    )
