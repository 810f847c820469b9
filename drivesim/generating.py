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

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import ShapeError
from models.long_video import Chunk, HandOver, HandOverMode, LongVideo, plan_chunks, roll_out
from models.request import GenerationRequest, Generator
from models.sampling import Sampling
from models.shapes import latent_frame_count

from .clip_folder import claim, finish, tidy
from .clip_job import ClipJob
from .clip_store import ClipStore
from .console import stages
from .errors import DatasetError
from .prompts import Prompts

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

    def __post_init__(self) -> None:
        for name, frames in (("chunk", self.chunk_frames), ("overlap", self.overlap)):
            try:
                latent_frame_count(frames or 0)
            except ShapeError as error:
                raise DatasetError(f"{name}: {error}") from error


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
    chunk_frames = generator.regime.clip_frames if settings.chunk_frames is None else settings.chunk_frames
    chunks = plan_chunks(job.frames, chunk_frames, settings.overlap)
    settings.prompts.require(job.camera_names, len(chunks))
    _require_known(job, chunks[0])
    if settings.hand_over == "latents" and not hasattr(generator, "generate_with_latents"):
        raise DatasetError("this generator has no latents to hand over. Use --hand-over pixels")
    store = ClipStore(job, Path(out), chunks, settings.controls)
    description = _describe(job, generator, settings, chunks) | {"also": store.also}
    video = LongVideo(chunks, _request_of(job, settings), settings.hand_over, settings.keep_colours)

    # 1. What is there, and is it ours?
    processes = getattr(generator, "processes", None)
    writes = processes is None or processes.is_first
    state = store.look(description, overwrite) if writes else _NOTHING_KNOWN
    whole, done, after = state if processes is None else processes.agree(state)
    result = GeneratedClip(store.folder, store.outputs, job.frames, len(chunks), done)
    if whole:
        if writes:
            tidy(store.folder)  # a run may have been killed over its last files
        return result

    # 2. Make the chunks that are missing, once it is clear that the generator can.
    said_once = len(settings.prompts.chunks) == 1
    for chunk in chunks[done : done + 1] if said_once else chunks[done:]:
        _check(job, generator, settings, chunk)
    if writes:
        claim(store.folder, description, overwrite)
    total = (len(chunks) - done) * settings.sampling.steps
    with stages(f"Generating {len(job.camera_names)} views of {job.frames} frames", total) as report:
        for made, (chunk, pictures, hand_over) in enumerate(roll_out(generator, video, after, done, report)):
            if writes:
                store.add(chunk, pictures, hand_over)
            report.finish((made + 1) * settings.sampling.steps)

    # 3. Turn them into videos.
    if writes:
        store.publish()
        finish(store.folder, description)
    return result


def _require_known(job: ClipJob, first: Chunk) -> None:
    most = max(map(len, job.known_frames), default=0)
    if most > first.stop:
        raise DatasetError(f"{most} known frames are more than the {first.stop} of the first chunk")


def _check(job: ClipJob, generator: Generator, settings: GenerationSettings, chunk: Chunk) -> None:
    """Let the generator refuse a chunk, for want of memory or of an embedding, by one picture per camera for all."""
    refusals = [getattr(generator, name) for name in ("check", "embed") if hasattr(generator, name)]
    if not refusals:
        return
    pictures = job.control(chunk.start, chunk.start + 1)
    shape = (len(pictures), chunk.stop - chunk.start, *pictures.shape[2:])
    still = replace(job, control=lambda start, stop: np.broadcast_to(pictures, shape))
    for refuse in refusals:
        refuse(_request_of(still, settings)(chunk))


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


def _describe(
    job: ClipJob, generator: Generator, settings: GenerationSettings, chunks: Sequence[Chunk]
) -> dict[str, Any]:
    """The clip's description with everything that its pictures depend on."""
    description = {
        **job.description,
        "view_ids": list(job.view_ids),
        "notes": list(job.notes),
        "generation": {
            "generator": generator.identity(),
            "prompts": settings.prompts.describe(),
            "seed": settings.seed,
            "sampling": asdict(settings.sampling),
            "chunks": [[chunk.start, chunk.stop, chunk.overlap] for chunk in chunks],
            "hand_over": settings.hand_over,
            "keep_colours": settings.keep_colours,
            "controls": settings.controls,
            "storage": "h264 yuv420p qp 18",
            "versions": {"python": platform.python_version()} | _versions(),
        },
    }
    as_read: dict[str, Any] = json.loads(json.dumps(description, allow_nan=False))
    return as_read


def _versions() -> dict[str, str]:
    """Of the packages that decide about numbers; those that are not installed are left out."""
    found = {}
    for name in ("drivesim", "numpy", "torch", "diffusers", "transformers"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
