"""Generated clips on disk: made chunk by chunk, resumable, whole or not at all.

    OUT/CLIP/CAMERA.mp4      one per camera
    OUT/CLIP/mosaic.mp4      control above, generated below, for all cameras; mosaic.png is its first frame
    OUT/CLIP/preview.mp4     all cameras around a bird's-eye view, for clips of a scene
    OUT/CLIP/controls/       control videos, when asked for
    OUT/CLIP/clip.json       cameras, times, poses, and everything the pictures depend on; written last

A chunk is stored without loss as soon as it is made, in ``.chunks``, with what the next one needs. A run that was
stopped goes on after the last chunk, and its bytes are those of a run that was not.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.long_video import Chunk, HandOver, HandOverMode, LongVideo, plan_chunks, roll_out
from models.request import GenerationRequest, Generator
from models.sampling import Sampling
from render.errors import RenderError
from render.grid import grid_frame
from render.preview import PreviewRenderer, readable_name
from render.video import VideoWriter, frames, probe, write_png
from scenegraph.arrays import UInt8Array
from scenegraph.publish import atomic_folder

from .clip_folder import CHUNKS_FOLDER, claim, file_name, finish, is_finished, require_own
from .clip_job import ClipJob
from .console import stages
from .errors import DatasetError
from .prompts import Prompts
from .rendering import available_cores

_HAND_OVER = "hand_over.npz"
_PREVIEW_FILM_PX = (640, 360)
_NOTHING_KNOWN: tuple[bool, int, HandOver | None] = (False, 0, None)


@dataclass(frozen=True)
class GenerationSettings:
    """How a clip is made, beside what it shows.

    seed: of the first chunk; chunk k has seed + k. overlap: frames that a chunk shares with the one before, 0 or 4k+1.
    chunk_frames: of one pass, None for what the generator was trained on.
    hand_over, keep_colours: see LongVideo. controls: store the control videos too.
    """

    prompts: Prompts = field(default_factory=lambda: Prompts.of(""))
    seed: int = 0
    sampling: Sampling = field(default_factory=Sampling)
    overlap: int = 5
    chunk_frames: int | None = None
    hand_over: HandOverMode = "pixels"
    keep_colours: bool = False
    controls: bool = False


@dataclass(frozen=True)
class GeneratedClip:
    """What is there now.

    folder: of the clip. outputs: videos by camera, of ``frames`` frames. kept: chunks of ``chunks`` there already.
    """

    folder: Path
    outputs: dict[str, Path]
    frames: int
    chunks: int
    kept: int


def generate_clip(
    job: ClipJob,
    generator: Generator,
    out: Path | str,
    settings: GenerationSettings | None = None,
    *,
    overwrite: bool = False,
) -> GeneratedClip:
    """Generate a clip and store it in a folder of ``out`` named after it. Under torchrun the first process stores."""
    settings = settings or GenerationSettings()
    chunks = plan_chunks(job.frames, settings.chunk_frames or generator.regime.clip_frames, settings.overlap)
    settings.prompts.require(job.camera_names, len(chunks))
    store = _ClipStore(job, generator, settings, Path(out), chunks)
    video = LongVideo(chunks, _request_of(job, settings), settings.hand_over, settings.keep_colours)

    # 1. What is there, and is it ours?
    processes = getattr(generator, "processes", None)
    writes = processes is None or processes.is_first
    state = store.open(overwrite) if writes else _NOTHING_KNOWN
    whole, done, after = state if processes is None else processes.agree(state)
    result = GeneratedClip(store.folder, store.outputs, job.frames, len(chunks), done)
    if whole:
        return result

    # 2. Make the chunks that are missing.
    total = (len(chunks) - done) * settings.sampling.steps
    with stages(f"Generating {len(job.camera_names)} views of {job.frames} frames", total) as report:
        for made, (chunk, pictures, hand_over) in enumerate(roll_out(generator, video, after, done, report)):
            if writes:
                store.add(chunk, pictures, hand_over)
            report.finish((made + 1) * settings.sampling.steps)

    # 3. Turn them into videos.
    if writes:
        store.publish()
    return result


def _request_of(job: ClipJob, settings: GenerationSettings) -> Callable[[Chunk], GenerationRequest]:
    def request_of(chunk: Chunk) -> GenerationRequest:
        texts, mode = settings.prompts.of_chunk(chunk.index, job.camera_names)
        return GenerationRequest(
            job.control(chunk.start, chunk.stop),
            job.camera_names,
            texts,
            settings.prompts.negative,
            mode,
            job.view_ids,
            job.rays,
            job.neighbours,
            job.known_frames if chunk.index == 0 else (),
            seed=settings.seed,
            fps=job.fps,
            sampling=settings.sampling,
        )

    return request_of


class _ClipStore:
    """The folder of a clip while it is made."""

    def __init__(
        self, job: ClipJob, generator: Generator, settings: GenerationSettings, out: Path, chunks: Sequence[Chunk]
    ) -> None:
        self.folder = out / file_name(job.name)
        stems = [file_name(name) for name in job.camera_names]
        self.outputs = {name: self.folder / f"{stem}.mp4" for name, stem in zip(job.camera_names, stems, strict=True)}
        self._controls = [self.folder / "controls" / f"{stem}.mp4" for stem in stems] if settings.controls else []
        self._job, self._chunks = job, chunks
        self._chunks_folder = self.folder / CHUNKS_FOLDER
        also = [self.folder / name for name in ("mosaic.mp4", "mosaic.png", *(("preview.mp4",) if job.scene else ()))]
        self._also = [*also, *self._controls]
        self._description = _describe(job, generator, settings, chunks) | {
            "also": [path.relative_to(self.folder).as_posix() for path in self._also]
        }

    def open(self, overwrite: bool) -> tuple[bool, int, HandOver | None]:
        """Whether the clip is whole, else how many chunks are there, and the hand-over of the last of them."""
        outputs = [*self.outputs.values(), self._chunks_folder, *self._also]
        require_own(self.folder, self._description, outputs, overwrite, "generated clips or control videos")
        if not overwrite and is_finished(self.folder) and all(map(self._is_whole, self.outputs.values())):
            return True, len(self._chunks), None
        claim(self.folder, self._description, overwrite)
        done = 0
        while done < len(self._chunks) and (self._chunk_folder(done)).is_dir():
            done += 1
        return False, done, self._read_hand_over(done - 1) if done else None

    def add(self, chunk: Chunk, pictures: UInt8Array, hand_over: HandOver) -> None:
        """Store the new frames of a chunk, uint8 [V,T,H,W,3], and what the next needs."""
        with atomic_folder(self._chunk_folder(chunk.index), replace=True) as folder:
            with ThreadPoolExecutor(max_workers=available_cores()) as pool:
                files = [folder / path.name for path in self.outputs.values()]
                list(pool.map(lambda pair: self._write_lossless(*pair), zip(files, pictures, strict=True)))
            values = {item.name: getattr(hand_over, item.name) for item in fields(hand_over)}
            np.savez(folder / _HAND_OVER, **{name: value for name, value in values.items() if value is not None})
        if chunk.index:
            (self._chunk_folder(chunk.index - 1) / _HAND_OVER).unlink(missing_ok=True)

    def publish(self) -> None:
        """Write the videos people look at, then say that the clip is whole."""
        job, views = self._job, len(self.outputs)
        total = (views + len(self._controls) + 1 + (job.scene is not None)) * job.frames
        with stages(f"Writing {views} videos", total) as report:
            done = iter(range(1, total + 1))
            advance = lambda: report.finish(next(done))  # noqa: E731
            for path in self.outputs.values():
                _write_video(path, self._generated(path), job.fps, advance)
            for view, path in enumerate(self._controls):
                _write_video(path, (block[view, 0] for block in self._control()), job.fps, advance)
            _write_video(self.folder / "mosaic.mp4", self._mosaic(), job.fps, advance)
            write_png(self.folder / "mosaic.png", next(self._mosaic()))
            if job.scene is not None:
                _write_video(self.folder / "preview.mp4", self._preview(), job.fps, advance)
        finish(self.folder, self._description)
        shutil.rmtree(self._chunks_folder, ignore_errors=True)

    def _chunk_folder(self, index: int) -> Path:
        return self._chunks_folder / f"{index:04d}"

    def _read_hand_over(self, index: int) -> HandOver:
        path = self._chunk_folder(index) / _HAND_OVER
        try:
            with np.load(path) as stored:
                values: dict[str, Any] = {"latents": None, **{name: stored[name] for name in stored.files}}
        except (OSError, ValueError) as error:
            raise DatasetError(
                f"{path}: cannot be read, so the clip cannot go on from it: {error}. Add --overwrite to start anew"
            ) from error
        return HandOver(**values)

    def _is_whole(self, path: Path) -> bool:
        try:
            return path.is_file() and probe(path).frames == self._job.frames
        except RenderError:
            return False

    def _write_lossless(self, path: Path, pictures: UInt8Array) -> None:
        with VideoWriter(path, pictures.shape[2], pictures.shape[1], self._job.fps, lossless=True) as writer:
            for picture in pictures:
                writer.write(picture)

    def _generated(self, path: Path) -> Iterator[UInt8Array]:
        """The frames of one camera, chunk after chunk."""
        for chunk in self._chunks:
            yield from frames(self._chunk_folder(chunk.index) / path.name)

    def _control(self) -> Iterator[UInt8Array]:
        """Control pictures [V,1,H,W,3] frame by frame."""
        for index in range(self._job.frames):
            yield self._job.control(index, index + 1)

    def _mosaic(self) -> Iterator[UInt8Array]:
        labels = [readable_name(name) for name in self.outputs]
        films = [self._generated(path) for path in self.outputs.values()]
        for control in self._control():
            yield grid_frame([list(control[:, 0]), [next(film) for film in films]], labels, ["control", "generated"])

    def _preview(self) -> Iterator[UInt8Array]:
        assert self._job.scene is not None and self._job.cameras is not None
        films = [
            np.stack([_small(picture) for picture in film]) for film in map(self._generated, self.outputs.values())
        ]
        renderer = PreviewRenderer(self._job.scene, self._job.cameras, films=films)
        for index in range(self._job.frames):
            yield renderer.frame(index)


def _small(picture: UInt8Array) -> UInt8Array:
    return np.asarray(cv2.resize(picture, _PREVIEW_FILM_PX, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _write_video(path: Path, pictures: Iterator[UInt8Array], fps: float, advance: Callable[[], None]) -> None:
    first = next(pictures)
    with VideoWriter(path, first.shape[1], first.shape[0], fps) as writer:
        writer.write(first)
        advance()
        for picture in pictures:
            writer.write(picture)
            advance()


def _describe(
    job: ClipJob, generator: Generator, settings: GenerationSettings, chunks: Sequence[Chunk]
) -> dict[str, Any]:
    """The clip's description with everything that its pictures depend on."""
    return {
        **job.description,
        "view_ids": list(job.view_ids),
        "notes": list(job.notes),
        "generation": {
            "generator": generator.identity(),
            "prompts": settings.prompts.describe(),
            "seed": settings.seed,
            "sampling": asdict(settings.sampling) | {"guidance_span": list(settings.sampling.guidance_span)},
            "chunks": [[chunk.start, chunk.stop, chunk.overlap] for chunk in chunks],
            "hand_over": settings.hand_over,
            "keep_colours": settings.keep_colours,
            "storage": "h264 yuv420p qp 18",
            "versions": {"python": platform.python_version()} | _versions(),
        },
    }


def _versions() -> dict[str, str]:
    """Of the packages that decide about numbers; those that are not installed are left out."""
    found = {}
    for name in ("drivesim", "numpy", "torch", "diffusers", "transformers"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
