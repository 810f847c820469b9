"""Clips from a tiny generator: what they depend on, how much work they are, and what is refused before any of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import (
    TEXT_CHANNELS,
    TinyText,
    tiny_codec,
    tiny_config,
    tiny_generator,
    tiny_request,
    tiny_transformer,
)
from torch import Tensor

from models import cost
from models.captions import DEFAULT_NEGATIVE_PROMPT
from models.codec import decode_frames, encode_frames
from models.config import ViewIdentity, ViewMixing
from models.errors import CapacityError, ShapeError
from models.generator import MultiViewGenerator
from models.request import GenerationRequest
from models.sampling import Sampling
from models.shapes import UInt8Array
from models.tuning import Tuning
from models.vae import WanCodec

FORMS: list[tuple[ViewMixing, ViewIdentity]] = [("joint", "channels"), ("neighbours", "adaln"), ("decomposed", "rays")]

UNGUIDED = Sampling(steps=2, guidance=0.0)


@pytest.fixture(scope="module")
def generator() -> MultiViewGenerator:
    return tiny_generator()


@pytest.fixture
def passes() -> list[Tensor]:
    """Timesteps of all passes of the counted generator."""
    return []


@pytest.fixture
def counted(passes: list[Tensor]) -> MultiViewGenerator:
    transformer = tiny_transformer()
    transformer.register_forward_pre_hook(lambda _, arguments: passes.append(arguments[1]))
    return tiny_generator(transformer=transformer)


def _known(request: GenerationRequest, counts: tuple[int, ...]) -> GenerationRequest:
    """The request with so many known frames per view, unlike its control."""
    frames = np.random.default_rng(5).integers(0, 256, request.control.shape, dtype=np.uint8)
    return replace(request, known_frames=tuple(video[:count] for video, count in zip(frames, counts, strict=True)))


def _differ(one: UInt8Array, other: UInt8Array) -> bool:
    """By more than rounding."""
    return int(np.abs(one.astype(int) - other).max()) > 5


# -- what frames depend on --------------------------------------------------------------------------------


@pytest.mark.parametrize(("mixing", "identity"), FORMS)
def test_a_clip_has_the_size_of_its_control_and_is_the_same_every_time(
    mixing: ViewMixing, identity: ViewIdentity
) -> None:
    request = tiny_request()
    frames = tiny_generator(mixing, identity).generate(request)
    assert frames.shape == request.control.shape and frames.dtype == np.uint8
    assert frames.std() > 20
    assert np.array_equal(tiny_generator(mixing, identity).generate(request), frames)


def test_clips_of_other_sizes_in_between_change_nothing(generator: MultiViewGenerator) -> None:
    frames = generator.generate(tiny_request())
    assert generator.generate(tiny_request(2, 9, 16, 32)).shape == (2, 9, 16, 32, 3)
    assert np.array_equal(generator.generate(tiny_request()), frames)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"prompts": ("a forest",)},
        {"negative_prompt": "fog"},
        {"caption_mode": "training"},
        {"control": 255 - tiny_request().control},
        {"rays": -tiny_request().rays},
        {"sampling": Sampling(steps=3, guidance=1.0)},
        {"sampling": Sampling(steps=2, guidance=2.0)},
        {"sampling": Sampling(steps=2, guidance=1.0, shift=1.0)},
        {"sampling": Sampling(steps=2, guidance=1.0, control_weight=0.0)},
        {"sampling": Sampling(steps=2, guidance=1.0, cache_threshold=10.0)},
    ],
    ids=lambda change: "-".join(change),
)
def test_frames_depend_on(generator: MultiViewGenerator, change: dict[str, Any]) -> None:
    assert _differ(generator.generate(tiny_request(**change)), generator.generate(tiny_request()))


@pytest.mark.parametrize(("mixing", "identity"), [("joint", "channels"), ("neighbours", "adaln")])
def test_frames_depend_on_which_cameras_the_views_stand_for(mixing: ViewMixing, identity: ViewIdentity) -> None:
    generator = tiny_generator(mixing, identity)
    assert _differ(generator.generate(tiny_request(view_ids=(0, 5, 6))), generator.generate(tiny_request()))


def test_frames_of_the_neighbours_form_depend_on_who_sees_whom() -> None:
    generator, nobody = tiny_generator("neighbours", "adaln"), np.zeros((3, 3), dtype=np.bool_)
    assert _differ(generator.generate(tiny_request(neighbours=nobody)), generator.generate(tiny_request()))


def test_a_view_that_sees_nobody_does_not_depend_on_the_others() -> None:
    generator, seen = tiny_generator("neighbours", "adaln"), np.array([[0, 1, 0], [0, 0, 0], [1, 1, 0]], dtype=np.bool_)
    request = tiny_request(neighbours=seen)
    control = request.control.copy()
    control[0] = 255 - control[0]
    latents, others = (
        generator.generate_with_latents(asked)[1] for asked in (request, replace(request, control=control))
    )
    changes = (latents - others).abs().amax(dim=(1, 2, 3, 4))
    assert changes[0] > 0.1 and changes[1] == 0 and changes[2] > 0.01


def test_every_prompt_of_its_own_reaches_its_view() -> None:
    generator, nobody = tiny_generator("neighbours", "adaln"), np.zeros((3, 3), dtype=np.bool_)
    request = tiny_request(neighbours=nobody, caption_mode="per_view", prompts=("a", "b", "c"))
    frames, others = (generator.generate(asked) for asked in (request, replace(request, prompts=("a", "d", "c"))))
    assert [_differ(one, other) for one, other in zip(frames, others, strict=True)] == [False, True, False]


def test_views_are_independent_of_their_order_but_for_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.generator.initial_noise", lambda shape, seed: torch.full((1, *shape), 0.5))
    order, request, generator = [2, 0, 1], tiny_request(), tiny_generator("joint", "channels")
    turned = replace(
        request,
        control=request.control[order],
        camera_names=tuple(request.camera_names[view] for view in order),
        view_ids=tuple(order),
    )
    frames, others = (generator.generate(asked).astype(int) for asked in (request, turned))
    assert np.abs(frames[order] - others).max() <= 1
    assert _differ(frames, others)


# -- how it runs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mixing", "identity"), FORMS)
@pytest.mark.parametrize("tuning", [Tuning(piece=7), Tuning(piece=None), Tuning("plain")])
def test_tuning_changes_frames_by_a_level_at_most(mixing: ViewMixing, identity: ViewIdentity, tuning: Tuning) -> None:
    frames, tuned = (tiny_generator(mixing, identity, tuning=how).generate(tiny_request()) for how in (None, tuning))
    assert np.abs(frames.astype(int) - tuned).max() <= 1


def test_it_runs_in_bfloat16(generator: MultiViewGenerator) -> None:
    rounded = tiny_generator(transformer=tiny_transformer().bfloat16(), codec=tiny_codec(torch.bfloat16))
    frames, others = (asked.generate(tiny_request()).astype(int) for asked in (generator, rounded))
    assert rounded.identity()["dtype"] == "bfloat16"
    assert 0 < np.abs(frames - others).mean() < 2


def test_frames_are_decoded_from_the_latents_that_come_with_them(generator: MultiViewGenerator) -> None:
    frames, latents = generator.generate_with_latents(tiny_request())
    assert latents.shape == (3, 16, 2, 4, 6) and latents.dtype == torch.float32
    assert np.array_equal(decode_frames(generator.codec, latents), frames)


# -- known frames -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sampling", [Sampling(steps=3, guidance=1.0), Sampling(steps=3, guidance=0, sampler="student")]
)
@pytest.mark.parametrize("counts", [(1, 1, 1), (5, 5, 5), (0, 1, 5)])
def test_known_frames_of_every_view_are_kept_and_no_others(
    generator: MultiViewGenerator, counts: tuple[int, ...], sampling: Sampling
) -> None:
    free = tiny_request(3, 9, sampling=sampling)
    request = _known(free, counts)
    _, latents = generator.generate_with_latents(request)
    _, others = generator.generate_with_latents(free)
    for view, (count, known) in enumerate(zip(counts, request.known_frames, strict=True)):
        kept = (count + 3) // 4
        if kept:
            wanted = encode_frames(generator.codec, known[None])[0]
            # The first noise level is just below 1, so that 2e-4 of the noise remains.
            assert (latents[view, :, :kept] - wanted).abs().max() < 5e-3
        assert ((latents - others)[view, :, kept:].abs().amax(dim=(0, 2, 3)) > 0.05).all()


def test_frames_that_are_known_come_back_as_the_codec_has_them(generator: MultiViewGenerator) -> None:
    request = _known(tiny_request(3, 9), (5, 5, 5))
    frames = generator.generate(request)
    through_codec = decode_frames(generator.codec, encode_frames(generator.codec, np.stack(request.known_frames)))
    assert np.abs(frames[:, :5].astype(int) - through_codec).max() <= 2


def test_no_known_frames_in_any_view_is_the_same_as_none(generator: MultiViewGenerator) -> None:
    request = tiny_request()
    assert np.array_equal(generator.generate(_known(request, (0, 0, 0))), generator.generate(request))


def test_a_clip_known_as_a_whole_comes_back(generator: MultiViewGenerator) -> None:
    request = _known(tiny_request(), (5, 5, 5))
    _, latents = generator.generate_with_latents(request)
    assert (latents - encode_frames(generator.codec, np.stack(request.known_frames))).abs().max() < 5e-3


def test_latents_of_the_first_frames_do_not_depend_on_the_frames_after_them() -> None:
    codec, frames = tiny_codec(), tiny_request(1, 9).control
    assert (encode_frames(codec, frames)[:, :, :2] - encode_frames(codec, frames[:, :5])).abs().max() < 1e-5


def test_latents_handed_over_stand_in_for_encoding_the_frames(generator: MultiViewGenerator) -> None:
    request = _known(tiny_request(3, 9), (5, 5, 5))
    encoded = encode_frames(generator.codec, np.stack(request.known_frames))
    handed = replace(request, known_latents=encoded[:, :, 1:].numpy())
    frames = generator.generate(request)
    assert np.abs(generator.generate(handed).astype(int) - frames).max() <= 1
    assert _differ(generator.generate(replace(handed, known_latents=handed.known_latents + 0.5)), frames)


def test_with_latents_handed_over_only_the_first_known_frame_counts_and_is_a_picture(
    generator: MultiViewGenerator,
) -> None:
    request = _known(tiny_request(3, 9), (5, 1, 5))
    handed = np.random.default_rng(3).standard_normal((3, 16, 1, 4, 6)).astype(np.float32)
    _, latents = generator.generate_with_latents(replace(request, known_latents=handed))
    pictures = encode_frames(generator.codec, np.stack([known[:1] for known in request.known_frames]))
    assert (latents[:, :, :1] - pictures).abs().max() < 5e-3
    off = (latents[:, :, 1:2] - torch.from_numpy(handed)).abs().amax(dim=(1, 2, 3, 4))
    assert off[0] < 5e-3 and off[2] < 5e-3 and off[1] > 0.1
    later = tuple(np.concatenate([known[:1], 255 - known[1:]]) for known in request.known_frames)
    assert torch.equal(
        generator.generate_with_latents(replace(request, known_latents=handed, known_frames=later))[1], latents
    )


def test_known_latents_of_one_known_frame_are_none(generator: MultiViewGenerator) -> None:
    request = _known(tiny_request(), (1, 1, 1))
    nothing = np.empty((3, 16, 0, 4, 6), np.float32)
    assert np.array_equal(generator.generate(replace(request, known_latents=nothing)), generator.generate(request))


# -- guidance ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sampling", "count"),
    [
        (Sampling(steps=4, guidance=0.0), 4),
        (Sampling(steps=4, guidance=1.0), 8),
        (Sampling(steps=4, guidance=1.0, guidance_span=(0.0, 0.5)), 6),
        (Sampling(steps=4, guidance=1.0, guidance_span=(0.5, 0.6)), 5),
        (Sampling(steps=4, guidance=0.0, sampler="student"), 4),
    ],
)
def test_a_step_takes_two_passes_only_where_guidance_is_on(
    counted: MultiViewGenerator, passes: list[Tensor], sampling: Sampling, count: int
) -> None:
    counted.generate(tiny_request(sampling=sampling))
    assert len(passes) == count


def test_without_guidance_the_negative_prompt_is_not_even_embedded() -> None:
    text = TinyText()
    generator, request = tiny_generator(text=text), tiny_request(sampling=UNGUIDED)
    frames = generator.generate(request)
    assert np.array_equal(generator.generate(replace(request, negative_prompt="fog")), frames)
    assert text.asked == [("a street", " ")]


def test_guidance_outside_its_span_is_as_good_as_off(generator: MultiViewGenerator) -> None:
    unguided = Sampling(steps=2, guidance=0.0)
    never = Sampling(steps=2, guidance=1.0, guidance_span=(0.6, 0.9))
    frames, others = (generator.generate(tiny_request(sampling=sampling)) for sampling in (unguided, never))
    assert np.array_equal(frames, others)


def test_guidance_against_the_prompt_itself_changes_nothing_but_rounding(generator: MultiViewGenerator) -> None:
    against = tiny_request(negative_prompt="a street", sampling=Sampling(steps=2, guidance=7.0))
    frames = generator.generate(tiny_request(sampling=UNGUIDED)).astype(int)
    assert np.abs(generator.generate(against) - frames).max() <= 1


def test_the_student_sees_known_frames_at_a_time_of_their_own(
    counted: MultiViewGenerator, passes: list[Tensor]
) -> None:
    sampling = Sampling(steps=2, guidance=0.0, sampler="student")
    counted.generate(_known(tiny_request(sampling=sampling), (0, 1, 5)))
    assert [timesteps.shape for timesteps in passes] == [(1, 3, 2)] * 2
    known = torch.tensor([[False, False], [True, False], [True, True]])
    assert all(torch.equal(timesteps[0] < 1, known) for timesteps in passes)


# -- texts ------------------------------------------------------------------------------------------------


def test_every_text_is_embedded_and_projected_once_however_many_clips_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text, transformer, projected = TinyText(), tiny_transformer(), []
    project = transformer.project_text
    monkeypatch.setattr(transformer, "project_text", lambda x: projected.append(len(x)) or project(x))
    generator = tiny_generator(text=text, transformer=transformer)
    generator.generate(tiny_request(4))
    generator.generate(tiny_request(3, seed=1))
    assert text.asked == [("a street", " ", DEFAULT_NEGATIVE_PROMPT)] and len(projected) == 3
    generator.generate(tiny_request(prompts=("a forest",)))
    assert text.asked[1:] == [("a forest",)] and len(projected) == 4


# -- what it says -----------------------------------------------------------------------------------------


def test_progress_is_told_in_the_order_of_the_work(generator: MultiViewGenerator) -> None:
    told: list[tuple[str, int, int]] = []
    tiny_generator().generate(tiny_request(), lambda *call: told.append(call))
    assert told == [
        ("Embedding prompts", 0, 1),
        ("Embedding prompts", 1, 1),
        ("Encoding control videos", 0, 1),
        ("Encoding control videos", 1, 1),
        ("Sampling", 0, 2),
        ("Sampling", 1, 2),
        ("Sampling", 2, 2),
        ("Decoding", 0, 1),
        ("Decoding", 1, 1),
    ]


def test_its_identity_is_plain_and_holds_what_decides_the_frames() -> None:
    generator = tiny_generator(weights={"transformer_sha256": "abc"}, tuning=Tuning("plain"))
    identity = generator.identity()
    assert json.loads(json.dumps(identity)) == identity
    assert identity == {
        "kind": "multi-view",
        "network": tiny_config().to_dict(),
        "dtype": "float32",
        "weights": {"transformer_sha256": "abc"},
        "codec": tiny_codec().identity(),
        "text": TinyText().identity(),
        "attention": "plain",
    }


def test_its_regime_is_what_the_weights_were_trained_on() -> None:
    regime = tiny_generator("neighbours", "adaln").regime
    assert (regime.width_px, regime.height_px, regime.fps, regime.clip_frames) == (48, 32, 10.0, 5)
    assert (regime.multiple_px, regime.known_views, regime.neighbour_map) == (16, 7, "rig")
    assert (tiny_generator().regime.known_views, tiny_generator().regime.neighbour_map) == (None, None)


# -- refusals ---------------------------------------------------------------------------------------------


class _UntouchedCodec(WanCodec):
    """Fails the test where it is used."""

    def encode(self, video: Tensor) -> Tensor:
        raise AssertionError("encoded")

    def decode(self, latents: Tensor) -> Tensor:
        raise AssertionError("decoded")


class _UntouchedText(TinyText):
    def encode(self, texts: Any) -> Tensor:
        raise AssertionError("embedded")


def _untouched(*form: Any) -> MultiViewGenerator:
    codec = tiny_codec()
    codec.__class__ = _UntouchedCodec
    return tiny_generator(*form, codec=codec, text=_UntouchedText())


def _refusing(error: type[Exception], sentence: str) -> Any:
    return pytest.raises(error, match=f"^{re.escape(sentence)}$")


def _latents(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    ("form", "request_of", "sentence"),
    [
        (
            ("joint", "rays"),
            lambda: tiny_request(3, 5, 32, 40),
            "control: sides of 40x32 are not both multiples of 16 pixels, one token",
        ),
        (
            ("joint", "channels"),
            lambda: tiny_request(view_ids=(0, 1, 7)),
            "view ids: 7 is not one of the 7 cameras this network knows",
        ),
        (
            ("neighbours", "adaln"),
            lambda: tiny_request(view_ids=(0, -1, 2)),
            "view ids: -1 is not one of the 7 cameras this network knows",
        ),
        (
            ("joint", "rays"),
            lambda: tiny_request(rays=None),
            "rays: this network knows cameras by their rays, and the request has none",
        ),
        (
            ("joint", "rays"),
            lambda: tiny_request(rays=_latents(3, 6, 2, 3)),
            "rays: expected [3,6,4,6] float32, got [3,6,2,3] float32",
        ),
        (
            ("neighbours", "adaln"),
            lambda: tiny_request(neighbours=None),
            "neighbours: this network mixes neighbouring views, and the request has no map of them",
        ),
        (
            ("joint", "rays"),
            lambda: tiny_request(known_latents=_latents(3, 16, 1, 4, 6)),
            "known latents: given without the known frames they belong to",
        ),
        (
            ("joint", "rays"),
            lambda: replace(_known(tiny_request(3, 9), (5, 5, 5)), known_latents=_latents(3, 16, 2, 4, 6)),
            "known latents: expected [3,16,1,4,6] float32, got [3,16,2,4,6] float32",
        ),
        (
            ("joint", "rays"),
            lambda: tiny_request(1, 1, 16, 1936),
            "121 token columns are more than the 120 positions of the network",
        ),
        (
            ("joint", "rays"),
            lambda: tiny_request(1, 513, 16, 16),
            "129 latent frames are more than the 128 positions of the network",
        ),
    ],
)
def test_what_the_network_cannot_do_is_refused_before_any_work(
    form: tuple[str, str], request_of: Callable[[], GenerationRequest], sentence: str
) -> None:
    with _refusing(ShapeError, sentence):
        _untouched(*form).generate(request_of())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"prompts": ("a", "b")}, "prompts: 2 for 3 views. Give one, or one per view"),
        (
            {"prompts": ("a", "b", "c")},
            "prompts: 3 in caption mode official. Give one caption, or caption mode per_view",
        ),
        ({"caption_mode": "poem"}, "caption mode: 'poem' is none of official, training, per_view"),
    ],
)
def test_texts_that_do_not_fit_the_views_are_refused_before_any_work(change: dict[str, Any], sentence: str) -> None:
    with _refusing(ShapeError, sentence):
        _untouched().generate(tiny_request(**change))


def test_a_clip_that_does_not_fit_into_memory_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "free_bytes", lambda device: 2_000_000)
    monkeypatch.setattr("models.generator.activation_bytes", lambda *_: 3_400_000_000)
    with _refusing(
        CapacityError,
        "3 views of 5 frames at 48x32: about 3.4 GB are needed and 0.0 GB are free on cpu. "
        "Take fewer views or frames, smaller pictures, or more processes (torchrun)",
    ):
        _untouched().generate(tiny_request())


def test_memory_is_asked_for_as_the_network_will_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, torch.device]] = []
    monkeypatch.setattr("models.generator.require_memory", lambda needed, device, _: asked.append((needed, device)))
    monkeypatch.setattr("models.generator.activation_bytes", lambda *given: int(given[2] * 100 + given[3]))
    monkeypatch.setattr(WanCodec, "working_bytes", lambda *_: 300)
    for transformer, piece in ((tiny_transformer(), 7), (tiny_transformer().bfloat16(), 9)):
        tiny_generator(transformer=transformer, tuning=Tuning(piece=piece)).check(tiny_request())
    assert asked == [(407, torch.device("cpu")), (300, torch.device("cpu"))]  # the codec needs more than bf16 tokens


def test_a_codec_of_other_latents_is_refused_when_the_generator_is_made() -> None:
    with _refusing(ShapeError, "codec: makes 16 latent channels, and the network was made for 8"):
        tiny_generator(transformer=tiny_transformer(tiny_config(latent_channels=8)))


def test_embeddings_of_another_encoder_are_refused_before_videos_are_encoded() -> None:
    generator = _untouched()
    generator.text = TinyText(TEXT_CHANNELS + 1)
    with _refusing(ShapeError, "text embeddings: expected [3,N,12], got [3,6,13] float32"):
        generator.generate(tiny_request())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"control": tiny_request(3, 4 + 1).control[:, :4]}, "control: 4 frames are not 4k+1. Use 1 or 5"),
        ({"camera_names": ("a", "b")}, "camera names: 2 for 3 views of control. Give one per view"),
        ({"view_ids": (0, 1)}, "view ids: 2 for 3 views of control. Give one per view"),
        ({"rays": _latents(2, 6, 4, 6)}, "rays: 2 for 3 views of control. Give one per view"),
        ({"neighbours": np.zeros((2, 2), np.bool_)}, "neighbours: expected [3,3] bool, got [2,2] bool"),
        (
            {"known_frames": (np.zeros((1, 32, 48, 3), np.uint8),)},
            "known frames: 1 for 3 views of control. Give one per view",
        ),
        (
            {"known_frames": (np.zeros((1, 32, 32, 3), np.uint8),) * 3},
            "known frames of camera 0: expected [n,32,48,3] uint8, got [1,32,32,3] uint8",
        ),
        (
            {"known_frames": (np.zeros((2, 32, 48, 3), np.uint8),) * 3},
            "known frames of camera 0: 2 frames are not 4k+1. Use 1 or 5",
        ),
        (
            {"known_frames": (np.zeros((9, 32, 48, 3), np.uint8),) * 3},
            "known frames of camera 0: 9, but the clip has 5",
        ),
        ({"seed": -1}, "seed: must be from 0 to 4294967295, got -1"),
    ],
)
def test_a_request_whose_parts_do_not_fit_cannot_be_made(change: dict[str, Any], sentence: str) -> None:
    with _refusing(ShapeError, sentence):
        tiny_request(**change)


def test_read_only_arrays_are_taken_without_a_warning(
    generator: MultiViewGenerator, recwarn: pytest.WarningsRecorder
) -> None:
    request = _known(tiny_request(), (1, 1, 1))
    for array in (request.control, request.rays, request.neighbours, *request.known_frames):
        array.setflags(write=False)
    generator.generate(request)
    assert [str(warning.message) for warning in recwarn if "writable" in str(warning.message)] == []
