"""The chunks of a clip on disk while it is made, and the videos that are made of them in the end.

A chunk appears whole or not at all, without loss, with what the next one needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields
from itertools import takewhile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.long_video import Chunk, HandOver
from render.errors import RenderError
from render.grid import grid_frame
from render.mosaic import MAX_CAMERAS
from render.preview import PreviewRenderer, readable_name
from render.video import VideoWriter, frames, probe, write_png
from scenegraph.arrays import UInt8Array
from scenegraph.publish import atomic_folder

from .clip_folder import CHUNKS_FOLDER, file_name, is_finished, require_own
from .clip_job import ClipJob
from .console import stages
from .errors import DatasetError
from .rendering import available_cores

_HAND_OVER = "hand_over.npz"
_PREVIEW_FILM_PX = (640, 360)


class ClipStore:
    """The folder of a clip while it is made.

    job: what the clip shows. chunks: that it is made of. controls: store the control videos too.
    folder: of the clip. outputs: videos by camera. also: what else will be there, by names within the folder.
    """

    def __init__(self, job: ClipJob, out: Path, chunks: Sequence[Chunk], controls: bool = False) -> None:
        self.folder = out / file_name(job.name)
        stems = [file_name(name) for name in job.camera_names]
        self.outputs = {name: self.folder / f"{stem}.mp4" for name, stem in zip(job.camera_names, stems, strict=True)}
        self._controls = [self.folder / "controls" / f"{stem}.mp4" for stem in stems] if controls else []
        self._job, self._chunks = job, chunks
        self._chunks_folder = self.folder / CHUNKS_FOLDER
        self._require_shown()
        shown = ["mosaic.mp4", "mosaic.png", *(["preview.mp4"] if job.scene is not None else [])]
        self.also = [*shown, *(path.relative_to(self.folder).as_posix() for path in self._controls)]

    def _require_shown(self) -> None:
        """Refuse more cameras than a mosaic shows, and those whose videos would be taken for it."""
        if len(self.outputs) > MAX_CAMERAS:
            raise DatasetError(
                f"{len(self.outputs)} cameras are more than the {MAX_CAMERAS} that a mosaic shows. "
                "Choose some with --cameras"
            )
        for name, path in self.outputs.items():
            if path.name.lower() in ("mosaic.mp4", "preview.mp4"):
                raise DatasetError(
                    f"{name!r} cannot be the name of a camera: {path.name} shows all of them. Rename it in the rig"
                )

    def look(self, description: dict[str, Any], overwrite: bool) -> tuple[bool, int, HandOver | None]:
        """Whether the clip is whole, else how many chunks are there, and the hand-over of the last of them."""
        outputs = [*self.outputs.values(), self._chunks_folder, *(self.folder / name for name in self.also)]
        require_own(self.folder, description, outputs, overwrite, "generated clips or control videos")
        if overwrite:
            return False, 0, None
        if is_finished(self.folder) and all(_has_frames(path, self._job.frames) for path in self.outputs.values()):
            return True, len(self._chunks), None
        there = takewhile(self._is_whole, self._chunks)
        done = sum(1 for _ in there)
        return False, done, self._read_hand_over(done - 1) if 0 < done < len(self._chunks) else None

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
        """Write the videos people look at."""
        job, views = self._job, len(self.outputs)
        total = (views + len(self._controls) + 1 + (job.scene is not None)) * job.frames
        with stages(f"Writing {views} videos", total) as report:
            done = iter(range(1, total + 1))
            advance = lambda: report.finish(next(done))  # noqa: E731
            for path in self.outputs.values():
                _write_video(path, self._generated(path), job.fps, advance)
            if self._controls:
                self._write_controls(advance)
            _write_video(self.folder / "mosaic.mp4", self._mosaic(), job.fps, advance)
            write_png(self.folder / "mosaic.png", next(self._mosaic()))
            if job.scene is not None:
                _write_video(self.folder / "preview.mp4", self._preview(), job.fps, advance)

    def _chunk_folder(self, index: int) -> Path:
        return self._chunks_folder / f"{index:04d}"

    def _read_hand_over(self, index: int) -> HandOver:
        path = self._chunk_folder(index) / _HAND_OVER
        try:
            with np.load(path) as stored:
                values: dict[str, Any] = {"latents": None, **{name: stored[name] for name in stored.files}}
            return HandOver(**values)
        except Exception as error:  # damaged bytes can fail in any way
            raise DatasetError(
                f"{path}: is missing or damaged, so the clip cannot go on from it. Add --overwrite to start anew"
            ) from error

    def _is_whole(self, chunk: Chunk) -> bool:
        folder = self._chunk_folder(chunk.index)
        return all(_has_frames(folder / path.name, chunk.new_frames) for path in self.outputs.values())

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

    def _write_controls(self, advance: Callable[[], None]) -> None:
        """All control videos side by side, so that every picture is drawn once."""
        with ExitStack() as stack:
            writers: list[VideoWriter] = []
            for pictures in self._control():
                for view, path in enumerate(self._controls):
                    picture = pictures[view, 0]
                    if len(writers) == view:
                        writer = VideoWriter(path, picture.shape[1], picture.shape[0], self._job.fps)
                        writers.append(stack.enter_context(writer))
                    writers[view].write(picture)
                    advance()

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


def _has_frames(path: Path, count: int) -> bool:
    """Whether a video is there and whole; files appear only when they are."""
    try:
        return path.is_file() and probe(path).frames == count
    except RenderError:
        return False


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
