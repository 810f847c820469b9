"""Small parts compute what their docstrings say, in the precision the weights were trained in."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from golden_models import read_tensors
from torch import Tensor, nn
from torch.nn import functional

from models.layers import (
    MLP,
    FinalLayer,
    Modulation,
    PatchEmbed,
    RMSNorm,
    Sinusoid,
    TimeMLP,
    in_pieces,
    linear_fp32,
    modulate,
)


@pytest.fixture(autouse=True)
def _same_numbers_every_time() -> None:
    torch.manual_seed(0)


def _random(module: nn.Module) -> nn.Module:
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module.requires_grad_(False)


def test_the_sinusoid_is_that_of_the_reference(shared: Path) -> None:
    golden = read_tensors(shared, "rope_time")
    assert torch.allclose(Sinusoid(64)(golden["time.scaled_t"]), golden["time.sinusoid_64"], rtol=0, atol=1e-6)


def test_times_beyond_bfloat16_stay_exact() -> None:
    close = torch.tensor([0.9994, 0.9998])
    assert close.bfloat16().unique().numel() == 1
    one, other = Sinusoid(64)(close)
    assert float((one - other).abs().max()) > 1e-4


def test_rms_norm_on_paper() -> None:
    norm = RMSNorm(4)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    x = torch.tensor([[2.0, 2.0, 2.0, 2.0], [0.0, 0.0, 3.0, 4.0]])
    expected = torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 3.0 * 3.0 / 2.5, 4.0 * 4.0 / 2.5]])
    assert torch.allclose(norm(x), expected, atol=1e-5)


def test_norms_have_an_epsilon_of_a_millionth() -> None:
    x = torch.tensor([[1e-3, -1e-3, 1e-3, -1e-3]])  # a mean square of a millionth
    half = x / (2e-6) ** 0.5
    assert torch.allclose(RMSNorm(4)(x), half, rtol=1e-5)
    zero = torch.zeros(4)
    assert torch.allclose(modulate(x, zero, zero), half, rtol=1e-5)


def test_norms_compute_in_fp32_and_return_the_dtype() -> None:
    norm = RMSNorm(64)
    nn.init.normal_(norm.weight)
    x = torch.randn(5, 64).bfloat16()
    exact = norm(x.float())
    lowered = norm.bfloat16()(x)
    assert lowered.dtype == torch.bfloat16
    weights_as_stored = RMSNorm(64)
    weights_as_stored.load_state_dict(norm.state_dict())
    assert torch.equal(lowered, weights_as_stored(x.float()).bfloat16()) and not torch.equal(lowered.float(), exact)


def test_modulation_shifts_and_scales_a_normalised_token() -> None:
    x = torch.tensor([[1.0, 3.0, 1.0, 3.0]])
    shift, scale = torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.tensor([0.0, 0.0, 1.0, -1.0])
    assert torch.allclose(modulate(x, shift, scale), torch.tensor([[-1.0, 2.0, -2.0, 1.0]]), atol=1e-5)


@pytest.mark.parametrize(
    ("module", "given"),
    [(TimeMLP(16), torch.randn(2, 16)), (Modulation(16, 4, parts=3), torch.randn(2, 16))],
    ids=["time", "modulation"],
)
def test_timestep_and_modulation_work_in_fp32_with_weights_in_bfloat16(module: nn.Module, given: Tensor) -> None:
    lowered = _random(module).bfloat16()
    result = lowered(given)
    assert result.dtype == torch.float32
    assert torch.equal(result, lowered.float()(given))  # the same weights, stored in fp32


def test_a_linear_layer_in_fp32_keeps_its_bias() -> None:
    layer = nn.Linear(3, 2)
    assert torch.equal(linear_fp32(layer, torch.ones(3)), layer(torch.ones(3)))
    lowered = layer.bfloat16()
    assert linear_fp32(lowered, torch.ones(3).bfloat16()).dtype == torch.float32
    assert torch.equal(linear_fp32(lowered, torch.zeros(3)), lowered.bias.float())


def test_time_on_paper() -> None:
    time = TimeMLP(2)
    with torch.no_grad():
        time.linear_1.weight.copy_(torch.eye(2))
        time.linear_2.weight.copy_(torch.arange(12.0).reshape(6, 2))
    x = torch.tensor([1.0, -2.0])
    assert torch.allclose(time(x), torch.arange(12.0).reshape(6, 2) @ (x * torch.sigmoid(x)))


def test_the_mlp_has_an_exact_gelu_and_no_bias() -> None:
    mlp = MLP(2, 2)
    with torch.no_grad():
        mlp.layer1.weight.copy_(torch.eye(2))
        mlp.layer2.weight.copy_(torch.eye(2))
    x = torch.tensor([[[[[0.7, -1.3]]]]])
    assert torch.allclose(mlp(x), x * 0.5 * (1 + torch.erf(x / 2**0.5)), atol=1e-7)


def test_patches_are_read_channel_row_column() -> None:
    embed = PatchEmbed(channels=3, patch=2, width=12)
    with torch.no_grad():
        embed.proj[1].weight = nn.Parameter(torch.eye(12))
        numbers = torch.arange(2 * 4 * 3 * 5 * 4 * 6.0).reshape(2, 4, 3, 5, 4, 6)
        tokens = embed(numbers)
    assert tokens.shape == (2, 4, 5, 6, 12)
    # Token 4 is in the second row and second column of patches.
    assert torch.equal(tokens[1, 2, 3, 4], numbers[1, 2, :, 3, 2:4, 2:4].flatten())


def test_patches_are_written_row_column_channel() -> None:
    final = FinalLayer(width=8, rank=2, patch=2, channels=3)
    patches = torch.arange(2 * 4 * 5 * 6 * 12.0).reshape(2, 4, 5, 6, 12)
    latents = final.unpatchify(patches, tokens_h=2)
    assert latents.shape == (2, 4, 3, 5, 4, 6)
    cells = patches[1, 2, 3, 4].reshape(2, 2, 3)  # row, column, channel
    assert torch.equal(latents[1, 2, :, 3, 2:4, 2:4], cells.permute(2, 0, 1))


def test_the_last_layer_takes_shift_and_scale_and_stays_in_fp32() -> None:
    final = _random(FinalLayer(width=8, rank=2, patch=2, channels=3)).bfloat16()
    assert isinstance(final, FinalLayer)
    x, time, shared = torch.randn(1, 2, 3, 6, 8).bfloat16(), torch.randn(1, 1, 1, 1, 8), torch.randn(1, 1, 1, 1, 24)
    weights = {name: tensor.float() for name, tensor in final.state_dict().items()}
    narrow, wide, linear = (
        weights[f"{name}.weight"] for name in ("adaln_modulation.1", "adaln_modulation.2", "linear")
    )
    shift, scale = (functional.silu(time) @ narrow.T @ wide.T + shared[..., :16]).chunk(2, dim=-1)
    normalised = functional.layer_norm(x.float(), (8,), eps=1e-6)
    expected = (normalised * (1 + scale) + shift) @ linear.T
    result = final(x, time, shared)
    assert result.dtype == torch.float32 and torch.allclose(result, expected, atol=1e-6)


@pytest.mark.parametrize("times", [(1, 1), (2, 1), (2, 3)])
def test_the_last_layer_in_pieces_is_the_same(times: tuple[int, int]) -> None:
    final = _random(FinalLayer(width=8, rank=2, patch=2, channels=3))
    assert isinstance(final, FinalLayer)
    x, time, shared = torch.randn(1, 2, 3, 6, 8), torch.randn(1, *times, 1, 8), torch.randn(1, *times, 1, 24)
    whole = final(x, time, shared)
    final.piece = 1
    assert torch.allclose(final(x, time, shared), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("piece", "calls"), [(None, [7]), (7, [7]), (3, [3, 3, 1]), (1, [1] * 7)])
def test_pieces_are_put_together_in_order(piece: int | None, calls: list[int]) -> None:
    seen: list[int] = []

    def double(part: Tensor) -> Tensor:
        seen.append(part.shape[1])
        return 2 * part

    x = torch.randn(2, 7, 3)
    assert torch.equal(in_pieces(double, x, piece, dim=1), 2 * x) and seen == calls
