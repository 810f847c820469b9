"""Videos and numbered pictures on disk. The only module that touches PyAV and the only one that knows BGR.

Frames are uint8 [H,W,3] RGB. Files appear whole or not at all, and the same frames give the same bytes: one
encoder thread, no creation time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import cv2
import numpy as np

from scenegraph.arrays import UInt8Array, expect
from scenegraph.errors import SceneGraphError
from scenegraph.publish import atomic_file, atomic_folder

from .compiling import njit
from .errors import RenderError

# Encoding must not take longer than drawing. Per 1280x720 control frame on one core, against the RGB that was drawn:
# qp 18 ultrafast 1.7 ms, 12 kB, 39.4 dB; crf 18 ultrafast 2.5 ms, 15 kB, 39.5 dB; crf 18 superfast 6 ms, 39.2 dB;
# crf 18 slow, as NVIDIA's control videos are stored, 38.8 dB.
_LOSSY = {"qp": "18", "preset": "ultrafast"}
_LOSSLESS = {"qp": "0", "preset": "ultrafast"}

# Written into the file: players guess another matrix for HD pictures.
_MATRIX_BT601, _LIMITED_RANGE = 6, 1

_NUMBERED_PNG = re.compile(r"\d{6,}\.png")
_LARGEST_RATE_DENOMINATOR = 1001


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds: frame count, frames per second, picture size."""

    frames: int
    fps: Fraction
    width_px: int
    height_px: int


class VideoWriter:
    """Writes an H.264 mp4 of constant frame rate inside a ``with`` block; frame i is shown at i / fps.

    fps: a number or Fraction; 29.97 becomes 2997/100, exact in the file.
    lossless: RGB kept bit for bit (read by ffmpeg and PyAV, not by every player) instead of yuv420p at qp 18.
    """

    def __init__(
        self, path: Path | str, width_px: int, height_px: int, fps: float | Fraction, lossless: bool = False
    ) -> None:
        self.path = Path(path)
        self.width_px, self.height_px = width_px, height_px
        self.fps = _frame_rate(self.path, fps)
        self.lossless = lossless
        self.frames_written = 0
        if not lossless and (width_px % 2 or height_px % 2):
            raise RenderError(
                f"{self.path}: a video of {width_px}x{height_px} is not possible, both sides must be even. "
                f"Choose an even size, or a lossless video"
            )

    def __enter__(self) -> Self:
        with _explaining(self.path), ExitStack() as stack:
            partial = stack.enter_context(atomic_file(self.path))
            self._container = stack.enter_context(av.open(str(partial), "w", format="mp4"))
            self._stream = self._add_stream()
            self._cleanup = stack.pop_all()
        return self

    def _add_stream(self) -> Any:
        codec, options = ("libx264rgb", _LOSSLESS) if self.lossless else ("libx264", _LOSSY)
        stream: Any = self._container.add_stream(codec, rate=self.fps, options=dict(options))
        stream.width, stream.height = self.width_px, self.height_px
        stream.pix_fmt = "rgb24" if self.lossless else "yuv420p"
        stream.codec_context.thread_count = 1
        if not self.lossless:
            stream.codec_context.colorspace = _MATRIX_BT601
            stream.codec_context.color_range = _LIMITED_RANGE
        return stream

    def write(self, frame: UInt8Array) -> None:
        """Append one frame, uint8 [H,W,3] RGB."""
        _check_frame(self.path, frame, f"{self.height_px} {self.width_px} 3")
        if self.lossless:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        else:
            picture = av.VideoFrame.from_ndarray(_yuv420(frame), format="yuv420p")
        picture.pts, picture.time_base = self.frames_written, 1 / self.fps
        self._encode(picture)
        self.frames_written += 1

    def _encode(self, picture: av.VideoFrame | None) -> None:
        """Encode a picture, or with None what the encoder still holds."""
        with _explaining(self.path):
            for packet in self._stream.encode(picture):
                self._container.mux(packet)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _explaining(self.path):
            if error is not None:
                self._cleanup.__exit__(kind, error, trace)
                return
            with self._cleanup:
                _require_frames(self.path, self.frames_written)
                self._encode(None)


class PngWriter:
    """Writes frames of one size as 000000.png, 000001.png ... into a folder inside a ``with`` block.

    A folder that holds nothing but such pictures is replaced; any other that is not empty is refused.
    """

    def __init__(self, path: Path | str, width_px: int, height_px: int) -> None:
        self.path = Path(path)
        self.width_px, self.height_px = width_px, height_px
        self.frames_written = 0

    def __enter__(self) -> Self:
        with _explaining(self.path), ExitStack() as stack:
            ours = self.path.is_dir() and all(_NUMBERED_PNG.fullmatch(entry.name) for entry in self.path.iterdir())
            self._folder = stack.enter_context(atomic_folder(self.path, replace=ours))
            self._cleanup = stack.pop_all()
        return self

    def write(self, frame: UInt8Array) -> None:
        """Append one frame, uint8 [H,W,3] RGB."""
        _check_frame(self.path, frame, f"{self.height_px} {self.width_px} 3")
        with _explaining(self.path):
            (self._folder / f"{self.frames_written:06d}.png").write_bytes(_png(frame))
        self.frames_written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _explaining(self.path):
            if error is not None:
                self._cleanup.__exit__(kind, error, trace)
                return
            with self._cleanup:
                _require_frames(self.path, self.frames_written)


def write_png(path: Path | str, frame: UInt8Array) -> None:
    """Write one picture, uint8 [H,W,3] RGB."""
    path = Path(path)
    _check_frame(path, frame, "H W 3")
    with _explaining(path), atomic_file(path) as partial:
        partial.write_bytes(_png(frame))


def read_image(path: Path | str) -> UInt8Array:
    """A PNG or JPEG as uint8 [H,W,3] RGB."""
    path = Path(path)
    with _explaining(path, "read"):
        encoded = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if len(encoded) else None
    if picture is None:
        raise RenderError(f"{path}: is not a picture that can be read. Use PNG or JPEG")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def frames(path: Path | str) -> Iterator[UInt8Array]:
    """The frames of a video one after the other, each uint8 [H,W,3] RGB."""
    path = Path(path)
    with _video_stream(path) as (container, stream):
        count = 0
        for picture in container.decode(stream):
            yield picture.to_ndarray(format="rgb24")
            count += 1
        if count < stream.frames:
            raise RenderError(f"{path}: ends after {count} of {stream.frames} frames")


def read_video(path: Path | str) -> UInt8Array:
    """A whole video as uint8 [T,H,W,3] RGB."""
    return np.stack(list(frames(path)))


def probe(path: Path | str) -> VideoInfo:
    """Frame count, rate and size of a video, from its header where that says it."""
    path = Path(path)
    with _video_stream(path) as (container, stream):
        count = stream.frames or sum(packet.size > 0 for packet in container.demux(stream))
        return VideoInfo(count, Fraction(stream.average_rate), stream.width, stream.height)


@contextmanager
def _video_stream(path: Path) -> Iterator[tuple[Any, Any]]:
    with _explaining(path, "read"), av.open(str(path)) as container:
        if not container.streams.video:
            raise RenderError(f"{path}: holds no video stream")
        yield container, container.streams.video[0]


@contextmanager
def _explaining(path: Path, verb: str = "written") -> Iterator[None]:
    """Turn what the system, FFmpeg or publishing complains about into a RenderError that names the file."""
    try:
        yield
    except RenderError:
        raise
    except SceneGraphError as error:
        raise RenderError(str(error)) from error
    except (OSError, av.FFmpegError) as error:
        raise RenderError(f"{path}: cannot be {verb}: {error.strerror or error}") from error


def _yuv420(frame: UInt8Array) -> UInt8Array:
    """BT.601 limited range, planar: uint8 [3H/2,W]; chroma is that of the mean colour of each 2x2 block.

    Integer arithmetic, coefficients times 2^16: within one level of exact. Control pictures are mostly black, and
    black is passed over eight pixels at a time, so this takes a quarter of swscale's time on them.
    """
    height, width = frame.shape[:2]
    frame = np.ascontiguousarray(frame)
    planes = np.empty((height * 3 // 2, width), dtype=np.uint8)
    luma, chroma = planes[:height], planes[height:].reshape(2, height // 2, width // 2)
    luma[:], chroma[:] = 16, 128
    # Three words of 64 bits are eight pixels.
    words = frame.reshape(height, 3 * width)[:, : width // 8 * 24]
    words = words.view(np.uint64) if width % 8 == 0 else np.ones((height, words.shape[1] // 8), dtype=np.uint64)
    _fill_planes(frame, words, luma, chroma)
    return planes


@njit
def _fill_planes(frame: Any, words: Any, luma: Any, chroma: Any) -> None:
    """Convert every pair of rows, eight columns at a time where a whole group is left, skipping black groups."""
    width = frame.shape[1]
    for j in range(0, frame.shape[0], 2):
        for group in range((width + 7) // 8):
            k = 3 * group
            if k + 2 < words.shape[1] and (
                words[j, k] | words[j, k + 1] | words[j, k + 2]
                | words[j + 1, k] | words[j + 1, k + 1] | words[j + 1, k + 2]
            ) == 0:  # fmt: skip
                continue
            for i in range(8 * group, min(8 * group + 8, width), 2):
                red = green = blue = 0
                for y in range(j, j + 2):
                    for x in range(i, i + 2):
                        r, g, b = int(frame[y, x, 0]), int(frame[y, x, 1]), int(frame[y, x, 2])
                        luma[y, x] = (16829 * r + 33039 * g + 6416 * b + (16 << 16) + 32768) >> 16
                        red, green, blue = red + r, green + g, blue + b
                u = (-9714 * red - 19070 * green + 28784 * blue + (128 << 18) + (1 << 17)) >> 18
                v = (28784 * red - 24103 * green - 4681 * blue + (128 << 18) + (1 << 17)) >> 18
                chroma[0, j // 2, i // 2], chroma[1, j // 2, i // 2] = u, v


def _png(frame: UInt8Array) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes()


def _frame_rate(path: Path, fps: float | Fraction) -> Fraction:
    if not 0 < fps < float("inf"):
        raise RenderError(f"{path}: frames per second must be above 0, got {fps}")
    return Fraction(fps).limit_denominator(_LARGEST_RATE_DENOMINATOR)


def _check_frame(path: Path, frame: UInt8Array, shape: str) -> None:
    try:
        expect("frame", frame, shape, np.uint8)
    except ValueError as error:
        raise RenderError(f"{path}: {error}") from error


def _require_frames(path: Path, count: int) -> None:
    if count == 0:
        raise RenderError(f"{path}: no frame was written, and there must be at least one")
