"""Schedule, solver, guidance, known frames and both sampling loops give the reference's numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_models import by_view, golden_network, read_facts, read_tensors
from torch import Tensor

from models.errors import ShapeError
from models.flow import (
    STUDENT_TIMES,
    Known,
    euler_steps,
    few_steps,
    guided,
    initial_noise,
    known_mask,
    mix,
    sample,
    shifted,
    sigma_schedule,
    trig_coefficients,
    unipc,
)
from models.sampling import Sampling

TOLERANCE = 1e-5
SCHEDULES = [(35, 5), (10, 5), (4, 5), (1, 5), (50, 3)]


@pytest.fixture(scope="module", autouse=True)
def _no_grad() -> Any:
    with torch.no_grad():
        yield


def _difference(one: Tensor, other: Tensor) -> float:
    assert one.shape == other.shape
    return float((one.double() - other.double()).abs().max())


def _nothing_known(latents: Tensor) -> Known:
    batch, views, _, frames = latents.shape[:4]
    return Known(torch.full_like(latents, 7.0), torch.zeros(batch, views, frames))


# -- schedule and solver ------------------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "shift"), SCHEDULES)
def test_the_schedule_is_that_of_the_reference(shared: Path, steps: int, shift: int) -> None:
    golden, key = read_tensors(shared, "scheduler"), f"n{steps}_s{shift}"
    solver = unipc(steps, float(shift))
    assert torch.equal(solver.timesteps.long(), golden[f"{key}.timesteps"])
    assert _difference(solver.sigmas, golden[f"{key}.sigmas"]) <= 1e-6
    sigmas = torch.from_numpy(sigma_schedule(steps, float(shift)))
    assert _difference(sigmas, golden[f"{key}.sigmas"][:-1]) <= 1e-6 and float(solver.sigmas[-1]) == 0.0


@pytest.mark.parametrize(("steps", "shift"), SCHEDULES)
def test_every_step_of_the_loop_lands_where_the_reference_does(shared: Path, steps: int, shift: int) -> None:
    golden, key = read_tensors(shared, "scheduler"), f"n{steps}_s{shift}"
    latents, target = golden[f"{key}.latents"].unsqueeze(2), golden[f"{key}.target"].unsqueeze(1)
    sigmas, entering, asked = iter(golden[f"{key}.sigmas"].tolist()), [], []

    def toy(x: Tensor, timesteps: Tensor, way: float) -> Tensor:
        sigma = next(sigmas)
        entering.append(x)
        asked.append((int(timesteps), way))
        return 0.9 * (x - target) + 0.15 * torch.sin(x + 2 * sigma) * math.cos(3 * sigma)

    advances: list[None] = []
    out = sample(
        toy, latents[0], _nothing_known(latents[0]), Sampling(steps, shift=float(shift)), lambda: advances.append(None)
    )
    assert len(advances) == steps
    assert asked == [(int(t), i / steps) for i, t in enumerate(golden[f"{key}.timesteps"])]
    assert _difference(torch.stack([*entering, out]), latents) <= TOLERANCE


def test_the_schedule_starts_just_below_noise() -> None:
    assert sigma_schedule(35, 5.0)[0] == pytest.approx(0.9998, abs=1e-6)
    assert list(sigma_schedule(3, 1.0)) == pytest.approx([0.999, 0.666, 0.333])


# -- noise --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["e2e_a_cond1", "e2e_b_nocond"])
def test_noise_is_the_reference_noise_of_the_seed(shared: Path, name: str) -> None:
    golden, case = read_tensors(shared, name), read_facts(shared, name)["case"]
    expected = by_view(golden["noise"], case["V"])
    noise = initial_noise(expected.shape[1:], case["noise_seed"])
    assert noise.dtype == torch.float32 and noise.is_contiguous() and torch.equal(noise, expected)


def test_noise_of_another_seed_is_other_noise() -> None:
    assert torch.equal(initial_noise((2, 3, 2, 4, 4), 5), initial_noise((2, 3, 2, 4, 4), 5))
    assert not torch.equal(initial_noise((2, 3, 2, 4, 4), 5), initial_noise((2, 3, 2, 4, 4), 6))


# -- known frames and guidance ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("none", [0, 0, 0, 0]),
        ("one", [1, 1, 1, 1]),
        ("two", [2, 2, 2, 2]),
        ("per_view", [1, 0, 2, 1]),
        ("ref_cam_plus_first", [1, 1, 3, 1]),
    ],
)
def test_masks_are_those_of_the_reference(shared: Path, name: str, counts: list[int]) -> None:
    golden = read_tensors(shared, "conditioning_cfg")[f"mask.{name}"]
    mask = known_mask(counts, 3)
    assert mask.dtype == torch.float32 and torch.equal(mask, golden.reshape(1, 4, 3))


def test_known_frames_enter_and_their_velocity_is_replaced_as_in_the_reference(shared: Path) -> None:
    golden = {name: by_view(x, 4) for name, x in read_tensors(shared, "conditioning_cfg").items() if x.ndim == 5}
    known = Known(golden["gt"], known_mask([1, 0, 2, 1], 3))
    assert torch.equal(golden["denoise.mask"][:, :, 0, :, 0, 0], known.mask)
    assert _difference(known.put_into(golden["denoise.xt"]), golden["denoise.network_input"]) <= 1e-6
    velocity = known.replace(golden["denoise.network_output"], golden["denoise.initial_noise"])
    assert _difference(velocity, golden["denoise.velocity"]) <= 1e-6


@pytest.mark.parametrize("guidance", [0, 3, 7])
def test_guidance_is_that_of_the_transfer_models(shared: Path, guidance: int) -> None:
    golden = read_tensors(shared, "conditioning_cfg")
    with_prompt, without = golden["cfg.v_cond"], golden["cfg.v_uncond"]
    assert _difference(guided(with_prompt, without, guidance), golden[f"cfg.transfer_g{guidance}"]) <= 1e-6
    # The usual form has one more.
    assert _difference(guided(with_prompt, without, guidance - 1), golden[f"cfg.predict_g{guidance}"]) <= TOLERANCE


@pytest.mark.parametrize("counts", [[0, 3], [-1, 0]])
def test_more_known_frames_than_there_are_is_refused(counts: list[int]) -> None:
    sentence = f"known latent frames {counts} are not all from 0 to 2"
    with pytest.raises(ShapeError, match=f"^{re.escape(sentence)}$"):
        known_mask(counts, 2)


def test_known_frames_end_at_what_is_known_but_for_the_start_of_the_schedule() -> None:
    generator = torch.Generator().manual_seed(0)
    noise, clean = (torch.randn(1, 2, 3, 4, 5, 6, generator=generator) for _ in range(2))
    known = Known(clean, known_mask([2, 0], 4))
    out = sample(lambda x, t, way: torch.tanh(x), noise, known, Sampling(steps=7))
    expected = clean + (1 - sigma_schedule(7, 5.0)[0]) * (noise - clean)
    assert _difference(out[:, 0, :, :2], expected[:, 0, :, :2]) <= TOLERANCE
    assert _difference(out[:, 1], clean[:, 1]) > 0.5


# -- the whole loop -----------------------------------------------------------------------------------


@dataclass
class _Loop:
    """A golden run: what it is given, and what our loop does with it."""

    golden: dict[str, Tensor]
    case: dict[str, Any]
    known: Known
    entering: list[Tensor]
    sides: list[tuple[Tensor, Tensor]]
    out: Tensor


@pytest.fixture(scope="module", params=["e2e_a_cond1", "e2e_b_nocond"])
def loop(shared: Path, request: pytest.FixtureRequest) -> _Loop:
    name = request.param
    case, tensors = read_facts(shared, name)["case"], read_tensors(shared, name)
    golden = {key: by_view(x, case["V"]) if x.ndim == 5 else x for key, x in tensors.items()}
    network = golden_network(shared, "joint_a")
    frames = golden["noise"].shape[3]
    known = Known(golden["gt_latents"], known_mask([case["cond"]] * case["V"], frames))
    prepared = [
        network.prepare(
            golden["control_latent"],
            network.project_text(tensors[text].unflatten(1, (case["V"], -1))),
            known=known.mask,
            view_ids=tensors["view_indices"].unflatten(1, (case["V"], -1))[:, :, 0],
        )
        for text in ("text", "neg_text")
    ]
    entering: list[Tensor] = []
    sides: list[tuple[Tensor, Tensor]] = []

    def velocity(x: Tensor, timesteps: Tensor, way: float) -> Tensor:
        entering.append(x)
        one, other = (network(x, timesteps, given, case["control_weight"]) for given in prepared)
        sides.append((one, other))
        return guided(one, other, case["guidance"])

    noise = initial_noise(golden["noise"].shape[1:], case["noise_seed"])
    return _Loop(golden, case, known, entering, sides, sample(velocity, noise, known, Sampling(case["steps"])))


def test_the_whole_loop_ends_where_the_reference_does(loop: _Loop) -> None:
    assert _difference(loop.out, loop.golden["out"]) <= 1e-4


def test_every_step_of_the_whole_loop_starts_where_the_reference_does(loop: _Loop) -> None:
    before = [by_view(latents, loop.case["V"]) for latents in loop.golden["latents_before_step"]]
    assert len(loop.entering) == len(before) == loop.case["steps"]
    for ours, golden in zip(loop.entering, before, strict=True):
        assert _difference(ours, loop.known.put_into(golden)) <= 1e-4


def test_the_first_step_of_the_whole_loop_is_that_of_the_reference(loop: _Loop) -> None:
    golden, known, (conditional, unconditional) = loop.golden, loop.known, loop.sides[0]
    assert _difference(loop.entering[0], golden["net_in_first_cond"]) <= 1e-6
    assert _difference(conditional, golden["net_out_first_cond"]) <= TOLERANCE
    assert _difference(unconditional, golden["net_out_first_uncond"]) <= TOLERANCE
    replaced = [known.replace(side, golden["noise"]) for side in (conditional, unconditional)]
    assert _difference(replaced[0], golden["v_first_cond"]) <= TOLERANCE
    assert _difference(replaced[1], golden["v_first_uncond"]) <= TOLERANCE
    guidance = loop.case["guidance"]
    before = guided(replaced[0], replaced[1], guidance)
    after = known.replace(guided(conditional, unconditional, guidance), golden["noise"])
    for velocity in (before, after):  # replacing before guidance or after it is the same
        assert _difference(velocity, golden["v_first_guided"]) <= TOLERANCE * (1 + 2 * guidance)


# -- training pairs -----------------------------------------------------------------------------------


def test_training_pairs_are_those_of_the_reference(shared: Path) -> None:
    golden = read_tensors(shared, "training_and_distilled")
    sigmas = shifted(golden["u"], 5.0)
    assert _difference(sigmas, golden["sigmas"]) <= TOLERANCE
    assert _difference(1000 * sigmas, golden["timesteps"]) <= 1000 * TOLERANCE
    assert _difference(mix(golden["x0"], golden["eps"], sigmas), golden["xt"]) <= TOLERANCE
    ends = [mix(golden["x0"], golden["eps"], torch.full((6,), sigma)) for sigma in (1.0, 0.0)]
    assert _difference(ends[0] - ends[1], golden["v_target"]) <= TOLERANCE


def test_shifting_keeps_the_ends_and_moves_the_middle_towards_noise() -> None:
    assert [shifted(u, 5.0) for u in (0.0, 0.5, 1.0)] == pytest.approx([0.0, 5 / 6, 1.0])
    assert shifted(0.3, 1.0) == pytest.approx(0.3)


# -- distilled networks -------------------------------------------------------------------------------


class _Toy:
    """The golden files' stand-in for a network, which keeps what it is given."""

    def __init__(self, target: Tensor) -> None:
        self.target = target
        self.given: list[Tensor] = []

    def __call__(self, x: Tensor, time: float) -> Tensor:
        assert x.dtype == torch.float32
        self.given.append(x)
        return self.target + 0.3 * torch.sin(x) * math.sin(time)


def test_coefficients_of_a_trigonometric_time_are_those_of_the_reference(shared: Path) -> None:
    golden = read_tensors(shared, "training_and_distilled")
    sigma, scale, out_scale = trig_coefficients(golden["trig.t"].numpy())
    for ours, name in ((sigma, "c_noise"), (scale, "c_in"), (scale, "c_skip"), (out_scale, "c_out")):
        assert _difference(torch.from_numpy(ours), golden[f"trig.{name}"]) <= 1e-12


def test_a_student_is_given_four_times(shared: Path) -> None:
    golden = read_tensors(shared, "training_and_distilled")
    assert golden["few.student4.t"].tolist() == pytest.approx(STUDENT_TIMES, abs=1e-12)
    assert [float(trig_coefficients(t)[0]) for t in STUDENT_TIMES] == pytest.approx([1, 0.9375, 5 / 6, 0.625])


@pytest.mark.parametrize("steps", [4, 2])
def test_few_steps_are_those_of_the_reference(shared: Path, steps: int) -> None:
    golden = read_tensors(shared, "training_and_distilled")
    toy = _Toy(golden["few.target"])
    out = few_steps(toy, golden["few.noise"], golden[f"few.student{steps}.t"].tolist())
    assert _difference(torch.stack(toy.given), golden[f"few.student{steps}.x_in"]) <= TOLERANCE
    assert _difference(out, golden[f"few.student{steps}.out"]) <= TOLERANCE


def test_eulers_method_is_the_teacher_of_the_reference(shared: Path) -> None:
    golden = read_tensors(shared, "training_and_distilled")
    toy = _Toy(golden["few.target"])
    out = euler_steps(toy, golden["few.noise"], golden["few.teacher6.t"].tolist())
    assert _difference(torch.stack(toy.given), golden["few.teacher6.x_in"]) <= TOLERANCE
    assert _difference(out, golden["few.teacher6.out"]) <= TOLERANCE


@pytest.mark.parametrize("steps", [4, 2])
def test_the_student_loop_asks_a_velocity_for_the_same_steps(shared: Path, steps: int) -> None:
    golden = read_tensors(shared, "training_and_distilled")
    noise = golden["few.noise"].unsqueeze(1)
    toy, ways = _Toy(golden["few.target"].unsqueeze(1)), []

    def velocity(scaled: Tensor, timesteps: Tensor, way: float) -> Tensor:
        ways.append(way)
        sigma = float(timesteps.unique()) / 1000
        angle = math.atan2(sigma, 1 - sigma)
        x = scaled * (math.cos(angle) + math.sin(angle))
        return (scaled - toy(x, angle)) / sigma

    sampling = Sampling(steps, guidance=0, sampler="student")
    out = sample(velocity, noise, _nothing_known(noise), sampling)
    assert ways == [index / steps for index in range(steps)]
    assert _difference(torch.stack(toy.given)[:, :, 0], golden[f"few.student{steps}.x_in"]) <= TOLERANCE
    assert _difference(out[:, 0], golden[f"few.student{steps}.out"]) <= TOLERANCE


def test_the_student_gives_known_frames_a_time_of_their_own() -> None:
    generator = torch.Generator().manual_seed(0)
    noise, clean = (torch.randn(1, 2, 3, 4, 5, 6, generator=generator) for _ in range(2))
    known = Known(clean, known_mask([1, 0], 4))
    times: list[Tensor] = []

    def velocity(x: Tensor, timesteps: Tensor, way: float) -> Tensor:
        assert torch.equal(x[:, 0, :, :1], clean[:, 0, :, :1])
        times.append(timesteps)
        return torch.tanh(x)

    advances: list[None] = []
    sampling = Sampling(steps=4, guidance=0, sampler="student")
    out = sample(velocity, noise, known, sampling, lambda: advances.append(None))
    assert len(advances) == 4 and torch.equal(out[:, 0, :, :1], clean[:, 0, :, :1])
    for timesteps, sigma in zip(times, (1, 0.9375, 5 / 6, 0.625), strict=True):
        expected = np.full((1, 2, 4), 1000.0 * sigma)
        expected[0, 0, 0] = 0.1
        assert timesteps.numpy() == pytest.approx(expected, rel=1e-6)
