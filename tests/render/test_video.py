"""Videos hold exactly the frames, rate and size they were given, byte for byte the same every time."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from render.errors import RenderError
from render.video import PngWriter, VideoInfo, VideoWriter, frames, probe, read_image, read_video, write_png

Frames = npt.NDArray[np.uint8]


def _drawing(count: int, width_px: int = 64, height_px: int = 48) -> Frames:
    """Thick coloured lines on black that move, [T,H,W,3]."""
    video = np.zeros((count, height_px, width_px, 3), dtype=np.uint8)
    for index, frame in enumerate(video):
        cv2.line(frame, (index % width_px, 0), (width_px // 2, height_px - 1), (255, 180, 0), 6)
        cv2.line(frame, (0, height_px // 2), (width_px - 1, (3 * index) % height_px), (10, 60, 250), 5)
    return video


def _write(path: Path, video: Frames, fps: float | Fraction = 30, lossless: bool = False) -> bytes:
    with VideoWriter(path, video.shape[2], video.shape[1], fps, lossless) as writer:
        for frame in video:
            writer.write(frame)
    return path.read_bytes()


@contextmanager
def _disk_full_after(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize(
    ("fps", "exact"),
    [(30, Fraction(30)), (10, Fraction(10)), (29.97, Fraction(2997, 100)), (Fraction(30000, 1001), None)],
)
def test_every_frame_starts_exactly_at_its_index_over_fps(
    tmp_path: Path, fps: float | Fraction, exact: Fraction | None, lossless: bool
) -> None:
    path, rate = tmp_path / "front.mp4", Fraction(exact or fps)
    _write(path, _drawing(37), fps, lossless)
    assert probe(path) == VideoInfo(frames=37, fps=rate, width_px=64, height_px=48)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        starts = [picture.pts * picture.time_base for picture in container.decode(stream)]
        assert stream.duration is not None and stream.time_base is not None
        assert stream.duration * stream.time_base == 37 / rate
    assert starts == [index / rate for index in range(37)]


def test_a_lossless_video_gives_back_every_bit(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (6, 48, 64, 3), dtype=np.uint8)
    video = np.concatenate([_drawing(6), noise])
    _write(tmp_path / "front.mp4", video, lossless=True)
    assert np.array_equal(read_video(tmp_path / "front.mp4"), video)


def test_a_lossy_video_keeps_the_colour_of_flat_areas(tmp_path: Path) -> None:
    colours = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (98, 183, 249), (255, 255, 255), (0, 0, 0)], np.uint8)
    video = np.broadcast_to(colours[:, None, None, :], (6, 48, 64, 3))
    _write(tmp_path / "front.mp4", video)
    difference = read_video(tmp_path / "front.mp4").astype(int) - video
    assert np.abs(difference).max() <= 6


def test_a_lossy_video_names_its_colour_matrix(tmp_path: Path) -> None:
    _write(tmp_path / "front.mp4", _drawing(2))
    with av.open(str(tmp_path / "front.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (6, 1)  # BT.601, limited range


@pytest.mark.parametrize("lossless", [False, True])
def test_the_same_frames_give_the_same_bytes(tmp_path: Path, lossless: bool) -> None:
    video = _drawing(40)
    first = _write(tmp_path / "a.mp4", video, lossless=lossless)
    assert _write(tmp_path / "b.mp4", video, lossless=lossless) == first
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert "creation_time" not in {**container.metadata, **container.streams.video[0].metadata}


def test_frames_come_one_by_one_in_order(tmp_path: Path) -> None:
    video = _drawing(5)
    _write(tmp_path / "front.mp4", video, lossless=True)
    for got, expected in zip(frames(tmp_path / "front.mp4"), video, strict=True):
        assert np.array_equal(got, expected)


def test_odd_sizes_need_a_lossless_video(tmp_path: Path) -> None:
    path, video = tmp_path / "front.mp4", _drawing(3, width_px=63, height_px=47)
    with pytest.raises(RenderError) as caught:
        VideoWriter(path, 63, 47, 30)
    assert str(caught.value) == (
        f"{path}: a video of 63x47 is not possible, both sides must be even. Choose an even size, or a lossless video"
    )
    _write(path, video, lossless=True)
    assert np.array_equal(read_video(path), video)


@pytest.mark.parametrize("fps", [0, -30, float("nan"), float("inf")])
def test_an_impossible_frame_rate_is_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(RenderError) as caught:
        VideoWriter(tmp_path / "front.mp4", 64, 48, fps)
    assert str(caught.value) == f"{tmp_path / 'front.mp4'}: frames per second must be above 0, got {fps}"


@pytest.mark.parametrize(
    ("frame", "got"),
    [
        (np.zeros((48, 63, 3), np.uint8), "[48,63,3] uint8"),
        (np.zeros((48, 64), np.uint8), "[48,64] uint8"),
        (np.zeros((48, 64, 3), np.float32), "[48,64,3] float32"),
    ],
)
def test_a_frame_of_another_shape_or_type_is_refused_and_leaves_no_file(
    tmp_path: Path, frame: Frames, got: str
) -> None:
    path = tmp_path / "front.mp4"
    with pytest.raises(RenderError) as caught, VideoWriter(path, 64, 48, 30) as writer:
        writer.write(frame)
    assert str(caught.value) == f"{path}: frame: expected [48,64,3] uint8, got {got}"
    assert list(tmp_path.iterdir()) == []


def test_frames_that_are_views_of_other_memory_are_written_right(tmp_path: Path) -> None:
    video = _drawing(3)
    with VideoWriter(tmp_path / "front.mp4", 64, 48, 30, lossless=True) as writer:
        for frame in video:
            writer.write(frame[:, ::-1])
    assert np.array_equal(read_video(tmp_path / "front.mp4"), video[:, :, ::-1])


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("written", [0, 5])
def test_an_exception_leaves_the_old_video_and_no_half_one(
    tmp_path: Path, failure: type[BaseException], written: int
) -> None:
    path = tmp_path / "front.mp4"
    path.write_bytes(b"old")
    with pytest.raises(failure), VideoWriter(path, 64, 48, 30) as writer:
        for frame in _drawing(written):
            writer.write(frame)
        raise failure
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["video", "pictures"])
def test_an_output_without_frames_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "front"
    writer = VideoWriter(path, 64, 48, 30) if kind == "video" else PngWriter(path, 64, 48)
    with pytest.raises(RenderError) as caught, writer:
        pass
    assert str(caught.value) == f"{path}: no frame was written, and there must be at least one"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [1, 40])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, count: int) -> None:
    path = tmp_path / "front.mp4"
    noise = np.random.default_rng(5).integers(0, 256, (count, 180, 320, 3), dtype=np.uint8)
    with pytest.raises(RenderError) as caught, _disk_full_after(100_000):
        _write(path, noise, lossless=True)
    assert str(caught.value) == f"{path}: cannot be written: File too large"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_stops_pictures_with_the_same_sentence(tmp_path: Path) -> None:
    path = tmp_path / "front"
    noise = np.random.default_rng(5).integers(0, 256, (180, 320, 3), dtype=np.uint8)
    with pytest.raises(RenderError) as caught, _disk_full_after(100_000), PngWriter(path, 320, 180) as writer:
        writer.write(noise)
    assert str(caught.value) == f"{path}: cannot be written: File too large"
    assert list(tmp_path.iterdir()) == []


def test_a_path_below_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file" / "front.mp4"
    with pytest.raises(RenderError, match="cannot be written") as caught, VideoWriter(path, 64, 48, 30):
        raise AssertionError("the block must not run")
    assert str(caught.value).startswith(f"{path}: cannot be written: ")


def test_a_file_that_is_no_video_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "front.mp4"
    path.write_text("nothing of the kind")
    for read in (read_video, probe):
        with pytest.raises(RenderError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: cannot be read: Invalid data found when processing input"
    with pytest.raises(RenderError) as caught:
        read_video(tmp_path / "absent.mp4")
    assert str(caught.value) == f"{tmp_path / 'absent.mp4'}: cannot be read: No such file or directory"


def test_a_video_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "front.mp4"
    noise = np.random.default_rng(5).integers(0, 256, (9, 48, 64, 3), dtype=np.uint8)
    whole = _write(path, noise, lossless=True)
    header_at = whole.index(b"moov") - 4
    path.write_bytes(whole[: header_at // 2] + bytes(header_at - header_at // 2) + whole[header_at:])
    with pytest.raises(RenderError, match=r"front\.mp4: (ends after|cannot be read)"):
        read_video(path)


def test_numbered_pictures_hold_every_frame_in_rgb(tmp_path: Path) -> None:
    path, video = tmp_path / "front", _drawing(3)
    with PngWriter(path, 64, 48) as writer:
        for frame in video:
            writer.write(frame)
        assert not path.exists()
    assert sorted(entry.name for entry in path.iterdir()) == ["000000.png", "000001.png", "000002.png"]
    assert np.array_equal(np.stack([read_image(path / f"{index:06d}.png") for index in range(3)]), video)


def test_numbered_pictures_replace_only_numbered_pictures(tmp_path: Path) -> None:
    path, video = tmp_path / "front", _drawing(3)
    for count in (3, 2):
        with PngWriter(path, 64, 48) as writer:
            for frame in video[:count]:
                writer.write(frame)
    assert sorted(entry.name for entry in path.iterdir()) == ["000000.png", "000001.png"]
    (path / "notes.txt").write_text("precious")
    with pytest.raises(RenderError) as caught, PngWriter(path, 64, 48):
        raise AssertionError("the block must not run")
    assert str(caught.value) == f"{path}: exists and is not empty. Remove it or name another folder"


def test_one_picture_round_trips_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    picture = _drawing(1)[0]
    write_png(tmp_path / "preview.png", picture)
    assert np.array_equal(read_image(tmp_path / "preview.png"), picture)
    for content in (b"", b"no picture"):
        (tmp_path / "broken.png").write_bytes(content)
        with pytest.raises(RenderError) as caught:
            read_image(tmp_path / "broken.png")
        expected = f"{tmp_path / 'broken.png'}: is not a picture that can be read. Use PNG or JPEG"
        assert str(caught.value) == expected
