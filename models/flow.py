"""Flow matching: the schedule, the solver, guidance, known frames, and the sampling loops.

x_sigma = sigma noise + (1 - sigma) clean; the network predicts the velocity noise - clean; its timestep is 1000 sigma
(rectified flow, arXiv:2209.03003; UniPC, arXiv:2302.04867).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from .errors import ShapeError
from .sampling import STUDENT_STEPS, Sampling

Velocity: TypeAlias = Callable[[Tensor, Tensor, float], Tensor]
"""(latents [B,V,C,L,h,w], timesteps [B] or [B,V,L], part of the way done 0..1) -> velocity."""

_LARGEST_SIGMA = 0.999
_SMALLEST_TIME = 1e-5
_KNOWN_SIGMA = 1e-4


# -- training pairs -----------------------------------------------------------------------------------


def shifted(u: Any, shift: float) -> Any:
    """Times u in [0, 1] moved towards noise: shift u / (1 + (shift - 1) u)."""
    return shift * u / (1 + (shift - 1) * u)


def mix(clean: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """sigma noise + (1 - sigma) clean; sigma [B] for clips [B,...]."""
    sigma = sigma.reshape(-1, *(1,) * (clean.ndim - 1))
    return sigma * noise + (1 - sigma) * clean


# -- noise, schedule, solver --------------------------------------------------------------------------


def initial_noise(shape: Sequence[int], seed: int) -> Tensor:
    """Standard normal noise [1,V,C,L,h,w], fp32, for shape (V,C,L,h,w): the reference's numbers for this seed.

    They are drawn for all views in one go, so they depend on number and order of the views.
    """
    views, channels, frames, height, width = shape
    numbers = np.random.RandomState(seed).standard_normal((1, channels, views * frames, height, width))
    return torch.from_numpy(numbers.astype(np.float32)).unflatten(2, (views, frames)).transpose(1, 2).contiguous()


def sigma_schedule(steps: int, shift: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Noise levels [steps] from almost 1 downwards; 0 follows."""
    sigmas: np.ndarray[Any, np.dtype[np.float64]] = shifted(np.linspace(_LARGEST_SIGMA, 0.0, steps + 1)[:-1], shift)
    return sigmas


def unipc(steps: int, shift: float) -> Any:
    """diffusers' UniPC solver of order 2 on our schedule: ``timesteps`` int64 [steps], ``sigmas`` [steps+1]."""
    from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

    solver = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift, solver_order=2
    )
    solver.set_timesteps(sigmas=np.linspace(_LARGEST_SIGMA, 0.0, steps + 1)[:-1])
    return solver


# -- known frames -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """Latent frames that are given.

    latents: [B,V,C,L,h,w], anything where nothing is known. mask: 1 on known frames, [B,V,L].
    """

    latents: Tensor
    mask: Tensor

    def put_into(self, latents: Tensor) -> Tensor:
        """The network's input: known frames clean, the others as they are."""
        mask = self._spread()
        return mask * self.latents + (1 - mask) * latents

    def replace(self, velocity: Tensor, noise: Tensor) -> Tensor:
        """The velocity of known frames is known: initial noise - clean."""
        mask = self._spread()
        return mask * (noise - self.latents) + (1 - mask) * velocity

    def _spread(self) -> Tensor:
        return self.mask[:, :, None, :, None, None]


def known_mask(counts: Sequence[int], latent_frames: int) -> Tensor:
    """1 on the first ``counts[v]`` latent frames of view v, fp32 [1,V,L]."""
    if any(not 0 <= count <= latent_frames for count in counts):
        raise ShapeError(f"known latent frames {list(counts)} are not all from 0 to {latent_frames}")
    return (torch.arange(latent_frames)[None] < torch.tensor(counts)[:, None]).float()[None]


def guided(conditional: Tensor, unconditional: Tensor, guidance: float) -> Tensor:
    """v_c + g (v_c - v_u); the usual form has the weight g + 1."""
    return conditional + guidance * (conditional - unconditional)


# -- loops --------------------------------------------------------------------------------------------


def sample(
    velocity: Velocity,
    noise: Tensor,
    known: Known,
    sampling: Sampling,
    advance: Callable[[], None] = lambda: None,
) -> Tensor:
    """Clean latents from noise, fp32 [B,V,C,L,h,w]. ``advance`` is called after every step.

    velocity: of the latents as the network should see them, guidance included.
    """
    if sampling.sampler == "student":
        return _sample_student(velocity, noise, known, sampling, advance)
    solver = unipc(sampling.steps, sampling.shift)
    latents = noise
    for index, timestep in enumerate(solver.timesteps):
        predicted = velocity(known.put_into(latents), timestep.reshape(1), index / sampling.steps)
        latents = solver.step(known.replace(predicted, noise), timestep, latents, return_dict=False)[0]
        advance()
    return latents


STUDENT_TIMES = (math.pi / 2, math.atan(15.0), math.atan(5.0), math.atan(5.0 / 3.0))
"""Angles of a distilled network, one per step: noise is tan(angle) times signal (TrigFlow, arXiv:2410.11081)."""

assert len(STUDENT_TIMES) == STUDENT_STEPS


def few_steps(denoise: Callable[[Tensor, float], Tensor], noise: Tensor, times: Iterable[float]) -> Tensor:
    """Jump to the clean latents, put the same noise back in for the next angle, and so on; state in fp64.

    denoise: (latents fp32, angle) -> clean latents.
    """
    state = start = noise.double()
    for time, next_time in pairwise((*times, 0.0)):
        state = denoise(state.float(), time).double()
        if next_time > _SMALLEST_TIME:
            state = math.cos(next_time) * state + math.sin(next_time) * start
    return state.float()


def euler_steps(denoise: Callable[[Tensor, float], Tensor], noise: Tensor, times: Sequence[float]) -> Tensor:
    """Euler's method over falling sigmas down to 0, as a teacher is sampled in distillation; state in fp64.

    denoise: (latents fp32, angle) -> clean latents. times: angles, sigma = sin / (cos + sin).
    """
    state = noise.double()
    for time, next_time in pairwise((*times, 0.0)):
        sigma, next_sigma = (float(trig_coefficients(angle)[0]) for angle in (time, next_time))
        clean = denoise(state.float(), time).double()
        state = state + (next_sigma - sigma) * (state - clean) / sigma
    return state.float()


def trig_coefficients(time: Any) -> tuple[Any, Any, Any]:
    """From an angle to the rectified-flow network: its sigma, the scale of its input, and that of its output.

    clean = scale x + out_scale net(scale x, sigma), with scale = 1 / (cos + sin) and out_scale = -sigma.
    """
    scale = 1 / (np.cos(time) + np.sin(time))
    sigma = np.sin(time) * scale
    return sigma, scale, -sigma


def _sample_student(
    velocity: Velocity, noise: Tensor, known: Known, sampling: Sampling, advance: Callable[[], None]
) -> Tensor:
    """Few steps without guidance; known frames have a time of their own, almost clean."""
    times = STUDENT_TIMES[: sampling.steps]

    def denoise(latents: Tensor, time: float) -> Tensor:
        sigma, scale, out_scale = map(float, trig_coefficients(time))
        timesteps = 1000 * torch.where(known.mask > 0, _KNOWN_SIGMA, sigma)
        predicted = velocity(known.put_into(scale * latents), timesteps, times.index(time) / len(times))
        advance()
        return known.put_into(scale * latents + out_scale * predicted)

    return few_steps(denoise, noise, times)
