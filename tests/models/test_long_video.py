"""Clips of several chunks: where they are cut, what each is told of the one before, and colours that stay."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_models import read_facts, read_tensors
from stub_generator import LATENT_CHANNELS, LatentStubGenerator, StubGenerator, request_of

from models.errors import ModelError, ShapeError
from models.long_video import Chunk, HandOver, LongVideo, colours, plan_chunks, roll_out, with_colours
from models.request import GenerationRequest, Progress, quiet
from models.shapes import UInt8Array

# -- the plan -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "chunk_frames", "overlap", "expected"),
    [
        (1, 29, 5, [(0, 1, 0)]),
        (29, 29, 5, [(0, 29, 0)]),
        (29, 29, 1, [(0, 29, 0)]),
        (53, 29, 5, [(0, 29, 0), (24, 53, 5)]),
        (57, 29, 1, [(0, 29, 0), (28, 57, 1)]),
        (13, 5, 1, [(0, 5, 0), (4, 9, 1), (8, 13, 1)]),
        (37, 29, 5, [(0, 29, 0), (24, 37, 5)]),
        (33, 29, 5, [(0, 29, 0), (24, 33, 5)]),
        (33, 29, 1, [(0, 29, 0), (28, 33, 1)]),
        (61, 29, 25, [(k * 4, 29 + k * 4, 25 if k else 0) for k in range(9)]),
        (9, 29, 0, [(0, 9, 0)]),
        (10 * 29 - 1, 29, 0, None),
    ],
)
def test_a_clip_is_cut_into_chunks(
    frames: int, chunk_frames: int, overlap: int, expected: list[tuple[int, int, int]] | None
) -> None:
    if expected is None:
        with pytest.raises(ShapeError):
            plan_chunks(frames, chunk_frames, overlap)
        return
    chunks = plan_chunks(frames, chunk_frames, overlap)
    assert [(chunk.start, chunk.stop, chunk.overlap) for chunk in chunks] == expected
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))


@pytest.mark.parametrize("overlap", [1, 5, 9, 13])
def test_every_frame_is_made_once_and_every_chunk_is_4k_1(overlap: int) -> None:
    for frames in range(1, 140, 4):
        chunks = plan_chunks(frames, 17, overlap)
        assert sum(chunk.new_frames for chunk in chunks) == frames
        assert (chunks[0].start, chunks[-1].stop) == (0, frames)
        assert all(after.start + after.overlap == before.stop for before, after in pairwise(chunks))
        assert all((chunk.stop - chunk.start) % 4 == 1 and chunk.new_frames > 0 for chunk in chunks)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((30, 29, 5), "30 frames are not 4k+1. Use 29 or 33"),
        ((57, 28, 5), "28 frames are not 4k+1. Use 25 or 29"),
        ((57, 29, 2), "overlap: 2 frames are not 4k+1. Use 1 or 5"),
        ((57, 29, -1), "overlap: -1 frames: a count cannot be below 0"),
        ((57, 29, 29), "overlap: 29 frames leave nothing new in a chunk of 29"),
        ((57, 29, 33), "overlap: 33 frames leave nothing new in a chunk of 29"),
        (
            (57, 29, 0),
            "the last chunk: 28 frames are not 4k+1. Use 25 or 29. Choose another number of frames, or an overlap of "
            "4k+1",
        ),
    ],
)
def test_what_cannot_be_cut_is_refused(given: tuple[int, int, int], sentence: str) -> None:
    with pytest.raises(ShapeError) as error:
        plan_chunks(*given)
    assert str(error.value) == sentence


# -- parity with the reference's driver -----------------------------------------------------------------


class _GoldenStub:
    """The reference's stub: half video and half control, by seed; the video beyond the known frames is given."""

    def __init__(self, videos: list[UInt8Array]) -> None:
        self._videos = videos
        self.asked: list[GenerationRequest] = []

    regime: Any = None

    def identity(self) -> dict[str, Any]:
        return {}

    def generate(self, request: GenerationRequest, progress: Progress = quiet) -> UInt8Array:
        video = self._videos[len(self.asked)].copy()
        for view, known in enumerate(request.known_frames):
            video[view, : len(known)] = known
        self.asked.append(request)
        half, other = (x.astype(np.float32) / 255 * np.float32(0.5) for x in (video, request.control))
        out = np.clip(half + other, 0, 1) * np.float32(0.97) + np.float32(0.01 * (request.seed % 3))
        return (out * 255).astype(np.uint8)


def _by_view(stored: Any, views: int) -> UInt8Array:
    """The reference's [...,3,V*T,H,W] as [V,T,H,W,3], enlarged by black to a size that codecs take."""
    video = stored.numpy().reshape(3, views, -1, *stored.shape[-2:]).transpose(1, 2, 3, 4, 0)
    return np.pad(video, ((0, 0), (0, 0), (0, 8 - video.shape[2]), (0, 8 - video.shape[3]), (0, 0)))


@pytest.mark.parametrize("case", ["first0", "first1", "overlap5"])
def test_a_long_video_is_that_of_the_reference(shared: Path, case: str) -> None:
    facts, stored = read_facts(shared, "autoregressive")["cases"][case], read_tensors(shared, "autoregressive")
    frames, chunk_frames, overlap, first_known, views = facts[
        "frames_per_view, chunk, overlap, num_conditional_pixel_frames, views"
    ]
    counts = first_known if isinstance(first_known, list) else [first_known] * views
    tensors = {
        name.removeprefix(f"{case}."): _by_view(tensor, views)
        for name, tensor in stored.items()
        if name.startswith(f"{case}.") and tensor.ndim == 5
    }
    height, width = stored[f"{case}.out"].shape[-2:]
    chunks = plan_chunks(frames, chunk_frames, overlap)
    generator = _GoldenStub([tensors[f"chunk{chunk.index}.video"] for chunk in chunks])

    def request_of(chunk: Chunk) -> GenerationRequest:
        known = tuple(view[:count] for view, count in zip(tensors["video_in"], counts, strict=True))
        control = tensors["control_in"][:, chunk.start : chunk.stop]
        return GenerationRequest(control, ("a", "b"), seed=5, known_frames=known if any(counts) else ())

    made = np.concatenate([new for _, new, _ in roll_out(generator, LongVideo(chunks, request_of))], axis=1)
    for chunk, request, fact in zip(chunks, generator.asked, facts["chunks"], strict=True):
        assert request.seed == fact["seed"]
        latent_counts = fact["num_conditional_latent_frames"]
        latent_counts = latent_counts if isinstance(latent_counts, list) else [latent_counts] * views
        assert list(request.known_latent_counts) == latent_counts
        assert np.array_equal(request.control, tensors[f"chunk{chunk.index}.control"])
        for known, golden in zip(request.known_frames, tensors[f"chunk{chunk.index}.video"], strict=False):
            assert np.array_equal(known[:, :height, :width], golden[: len(known), :height, :width])
    expected = (_by_view(stored[f"{case}.out"], views) * 255).astype(np.uint8)
    assert np.array_equal(made[:, :, :height, :width], expected[:, :, :height, :width])


# -- what a chunk is told -------------------------------------------------------------------------------


def _video(frames: int = 13, chunk_frames: int = 5, overlap: int = 1, **options: Any) -> LongVideo:
    return LongVideo(plan_chunks(frames, chunk_frames, overlap), options.pop("request_of", request_of), **options)


def _rolled(generator: Any, video: LongVideo, **start: Any) -> list[tuple[Chunk, UInt8Array, HandOver]]:
    return list(roll_out(generator, video, **start))


def test_chunks_have_their_own_seeds_prompts_and_controls() -> None:
    generator = StubGenerator()
    _rolled(generator, _video(request_of=lambda chunk: request_of(chunk, seed=2**32 - 2)))
    assert [request.seed for request in generator.asked] == [2**32 - 2, 2**32 - 1, 0]
    assert [request.prompts for request in generator.asked] == [("chunk 0",), ("chunk 1",), ("chunk 2",)]
    assert [request.control[0, :, 0, 0, 0].tolist() for request in generator.asked] == [
        [0, 1, 2, 3, 4],
        [4, 5, 6, 7, 8],
        [8, 9, 10, 11, 12],
    ]


def test_a_chunk_begins_with_the_last_frames_of_the_one_before() -> None:
    generator = StubGenerator()
    made = _rolled(generator, _video(frames=21, chunk_frames=13, overlap=5))
    assert [new.shape[1] for _, new, _ in made] == [13, 8]
    first, second = generator.asked
    assert first.known_frames == () and second.known_latents is None
    assert np.array_equal(np.stack(second.known_frames), made[0][1][:, -5:])


@pytest.mark.parametrize(
    ("chunks", "later"),
    [((Chunk(0, 0, 5, 0), Chunk(1, 5, 10, 0)), [0, 0]), ((Chunk(0, 0, 5, 0), Chunk(1, 4, 9, 1)), [1, 1])],
)
def test_recorded_frames_begin_the_first_chunk_only(chunks: tuple[Chunk, ...], later: list[int]) -> None:
    known = (np.full((1, 8, 16, 3), 9, dtype=np.uint8), np.zeros((0, 8, 16, 3), dtype=np.uint8))
    generator = StubGenerator()
    made = _rolled(generator, LongVideo(chunks, lambda chunk: request_of(chunk, known_frames=known)))
    counts = [[len(view) for view in request.known_frames] or [0, 0] for request in generator.asked]
    assert counts == [[1, 0], later]
    assert (made[0][1][0, 0] == 9).all() and (made[0][1][1, 0] != 9).any()


def test_latents_go_on_after_the_first_frame_which_is_a_picture() -> None:
    generator = LatentStubGenerator()
    made = _rolled(generator, _video(frames=21, chunk_frames=13, overlap=5, hand_over="latents"))
    frames, latents = LatentStubGenerator()._answer(generator.asked[0])
    second = generator.asked[1]
    assert np.array_equal(np.stack(second.known_frames), frames[:, -5:])
    assert second.known_latents is not None
    assert second.known_latents.shape == (2, LATENT_CHANNELS, 1, 1, 2)
    assert np.array_equal(second.known_latents, latents[:, :, -1:])
    assert made[0][2].latents is not None


def test_one_frame_handed_over_has_no_latents_after_it() -> None:
    generator = LatentStubGenerator()
    _rolled(generator, _video(hand_over="latents"))
    assert [request.known_latents is None for request in generator.asked] == [True, False, False]
    assert generator.asked[1].known_latents is not None
    assert generator.asked[1].known_latents.shape[2] == 0


@pytest.mark.parametrize(
    ("overlap", "options"),
    [
        (1, {}),
        (5, {}),
        (5, {"hand_over": "latents"}),
        (1, {"hand_over": "latents"}),
        (5, {"keep_colours": True}),
    ],
)
def test_a_stopped_clip_goes_on_as_if_it_had_not_been(overlap: int, options: dict[str, Any]) -> None:
    video = _video(frames=37, chunk_frames=13, overlap=overlap, **options)
    whole = _rolled(LatentStubGenerator(), video)
    assert len(whole) >= 3
    for first in range(1, len(whole)):
        rest = _rolled(LatentStubGenerator(), video, after=whole[first - 1][2], first=first)
        assert [chunk for chunk, _, _ in rest] == list(video.chunks[first:])
        for (_, new, hand_over), (_, expected, whole_hand_over) in zip(rest, whole[first:], strict=True):
            assert np.array_equal(new, expected)
            assert np.array_equal(hand_over.frames, whole_hand_over.frames)
            assert np.array_equal(hand_over.colour_mean, whole_hand_over.colour_mean)


def test_the_next_chunk_is_not_begun_before_it_is_asked_for() -> None:
    generator = StubGenerator()
    chunks = roll_out(generator, _video())
    for made in (1, 2, 3):
        next(chunks)
        assert len(generator.asked) == made


def test_colours_and_latents_do_not_go_together() -> None:
    with pytest.raises(ModelError) as error:
        _video(hand_over="latents", keep_colours=True)
    assert str(error.value) == (
        "colours are kept in pixels, so the hand-over cannot be in latents. Choose one of the two"
    )


def test_a_generator_without_latents_is_refused_when_they_are_to_be_handed_over() -> None:
    with pytest.raises(ModelError) as error:
        _rolled(StubGenerator(), _video(hand_over="latents"))
    assert str(error.value) == "this generator has no latents to hand over: hand over pixels"


# -- colours --------------------------------------------------------------------------------------------


def _two_levels(low: int, high: int) -> UInt8Array:
    """One view of two frames, half of all pixels low and half high."""
    frames = np.full((1, 2, 4, 4, 3), low, dtype=np.uint8)
    frames[:, :, ::2] = high
    return frames


def test_mean_and_spread_are_those_of_the_pixels() -> None:
    frames = _two_levels(50, 150)
    frames[..., 2] = 7
    mean, std = colours(frames)
    assert np.allclose(mean, [[100, 100, 7]]) and np.allclose(std, [[50, 50, 0]])
    noise = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8, 3), dtype=np.uint8)
    mean, std = colours(noise)
    assert np.allclose(mean, noise.mean(axis=(1, 2, 3))) and np.allclose(std, noise.std(axis=(1, 2, 3)))


@pytest.mark.parametrize(
    ("mean", "std", "low", "high"),
    [
        (100.0, 50.0, 50, 150),
        (120.0, 50.0, 70, 170),
        (100.0, 25.0, 75, 125),
        (10.0, 50.0, 0, 60),
        (100.3, 0.4, 100, 101),
    ],
)
def test_frames_get_another_mean_and_spread(mean: float, std: float, low: int, high: int) -> None:
    matched = with_colours(_two_levels(50, 150), np.full((1, 3), mean), np.full((1, 3), std))
    assert np.array_equal(matched, _two_levels(low, high))


def test_a_plain_colour_is_moved_and_not_spread() -> None:
    matched = with_colours(np.full((1, 1, 2, 2, 3), 40, np.uint8), np.full((1, 3), 60.0), np.full((1, 3), 30.0))
    assert (matched == 60).all()


def test_every_view_and_channel_has_its_own_colours() -> None:
    frames = np.concatenate([_two_levels(50, 150), _two_levels(10, 20)])
    mean, std = np.array([[100.0, 110, 90], [15, 15, 20]]), np.array([[50.0, 50, 25], [5, 10, 5]])
    matched = with_colours(frames, mean, std)
    assert [sorted(set(matched[v, ..., c].ravel().tolist())) for v in range(2) for c in range(3)] == [
        [50, 150], [60, 160], [65, 115], [10, 20], [5, 25], [15, 25],
    ]  # fmt: skip


def test_drifting_chunks_get_the_colours_of_the_first() -> None:
    drift: Callable[[int], UInt8Array] = lambda index: np.repeat(_two_levels(50 + 9 * index, 150 + 9 * index), 2, 0)  # noqa: E731

    class Drifting(StubGenerator):
        def generate(self, request: GenerationRequest, progress: Progress = quiet) -> UInt8Array:
            self.asked.append(request)
            frames = drift(len(self.asked) - 1)[:, :1]
            return np.tile(np.repeat(np.repeat(frames, 2, 2), 4, 3), (1, 5, 1, 1, 1))

    plain = [new for _, new, _ in _rolled(Drifting(), _video())]
    kept = [new for _, new, _ in _rolled(Drifting(), _video(keep_colours=True))]
    assert [int(new.max()) for new in plain] == [150, 159, 168]
    assert [(int(new.min()), int(new.max())) for new in kept] == [(50, 150)] * 3
    again = Drifting()
    _rolled(again, _video(keep_colours=True))
    assert all(request.known_frames[0].max() == 150 for request in again.asked[1:])
