"""The JSON specification of Cosmos-Transfer2.5's multi-view inference, and the videos that it names.

A ``.json`` file holds one sample, a ``.jsonl`` file one per line; paths in it are relative to the file. A view takes
part when it has a control_path. All mistakes of a file are reported at once, each as ``file:line  field: problem``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from models.config import COSMOS_VIEWS

from .clip_folder import file_name
from .errors import DatasetError
from .yaml_files import FileModel, problem_in_words

CLIP_FRAMES = 29
"""Frames of one chunk, as the released weights were trained."""

_LARGEST_SEED = 2**32 - 1

_Location = tuple[str | int, ...]
_Problem = tuple[_Location, str]

_KEY_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?|[{}\[\]]')


# -- what a file may hold --------------------------------------------------------------------------


def _whole(value: Any) -> Any:
    """10.0 as 10, as the reference accepts it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_file_name(name: str) -> str:
    if file_name(name) != name:
        raise ValueError(f"{name!r} cannot be the name of a file. Use letters, digits, - and _")
    return name


def _as_seed(seed: int) -> int:
    if not 0 <= seed <= _LARGEST_SEED:
        raise ValueError(f"must be 0 to {_LARGEST_SEED}, got {seed}")
    return seed


def _as_overlap(frames: int) -> int:
    if frames != 0 and (frames % 4 != 1 or not 0 < frames < CLIP_FRAMES):
        raise ValueError(f"{frames} frames cannot be handed over. Use 0 or a number 4k+1 below {CLIP_FRAMES}: 1, 5, 9")
    return frames


_Whole = Annotated[int, BeforeValidator(_whole)]
_KnownFrames = Annotated[Literal[0, 1, 5], BeforeValidator(_whole)]


class _ViewFile(FileModel):
    """One camera: its control video, and the real video that known frames come from."""

    input_path: str | None = None
    control_path: str | None = None
    num_conditional_frames_per_view: _KnownFrames = 0


class _SampleFile(FileModel):
    """One sample."""

    name: Annotated[str, AfterValidator(_as_file_name)]
    prompt: str | None = None
    prompt_path: str | None = None
    negative_prompt: str | None = None
    seed: Annotated[_Whole, AfterValidator(_as_seed)] = 0
    guidance: Annotated[_Whole, Field(ge=0, le=7)] = 3
    num_steps: Annotated[_Whole, Field(ge=1)] = 35
    fps: Annotated[_Whole, Field(ge=1)] = 10
    num_conditional_frames: _KnownFrames = 1
    control_weight: Annotated[float, Field(ge=0, le=1)] = 1.0
    enable_autoregressive: bool = False
    num_chunks: Annotated[_Whole, Field(ge=1)] = 2
    chunk_overlap: Annotated[_Whole, AfterValidator(_as_overlap)] = 1
    save_combined_views: bool = True
    front_wide: _ViewFile = _ViewFile()
    cross_right: _ViewFile = _ViewFile()
    rear_right: _ViewFile = _ViewFile()
    rear: _ViewFile = _ViewFile()
    rear_left: _ViewFile = _ViewFile()
    cross_left: _ViewFile = _ViewFile()
    front_tele: _ViewFile = _ViewFile()

    def views(self) -> dict[str, _ViewFile]:
        """All views in id order."""
        return {name: getattr(self, name) for name in COSMOS_VIEWS}

    def active_views(self) -> dict[str, _ViewFile]:
        """The views to generate in id order."""
        return {name: view for name, view in self.views().items() if view.control_path is not None}

    def known_frames(self, view: _ViewFile) -> int:
        """Known frames of a view: its own number, else that of the sample."""
        return view.num_conditional_frames_per_view or self.num_conditional_frames


# -- what it means ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class CosmosView:
    """One view of a sample.

    name: its key in the file. view_id: among all seven cameras.
    known_frames: how many frames at the start are taken from the video at input_path: 0, 1 or 5.
    """

    name: str
    view_id: int
    control_path: Path
    input_path: Path | None
    known_frames: int


@dataclass(frozen=True)
class CosmosSample:
    """One sample of a specification, all defaults and paths resolved.

    negative_prompt: what guidance leads away from. The reference reads it and then ignores it; here it is used.
    guidance: 0 (none) to 7. fps: of the clip that is made. control_weight: 0 to 1.
    num_conditional_frames: as written; what holds for each view is its ``known_frames``.
    enable_autoregressive: a long clip of num_chunks chunks that share chunk_overlap frames, else one chunk.
    save_combined_views: one video of all views next to each other, else one per view.
    views: those with a control video, in the order of their ids.
    """

    name: str
    prompt: str
    negative_prompt: str | None
    seed: int
    guidance: int
    num_steps: int
    fps: int
    num_conditional_frames: int
    control_weight: float
    enable_autoregressive: bool
    num_chunks: int
    chunk_overlap: int
    save_combined_views: bool
    views: tuple[CosmosView, ...]


def read_cosmos_spec(path: Path | str) -> tuple[CosmosSample, ...]:
    """The samples of a specification; a DatasetError lists everything that is wrong with it."""
    path = Path(path)
    samples: list[CosmosSample] = []
    mistakes: list[tuple[int, str]] = []
    line_of_name: dict[str, int] = {}
    for first_line, text in _documents(path):
        lines: dict[_Location, int] = {(): first_line}
        problems: list[_Problem] = []
        sample = _read_sample(path.parent, text, lines, problems)
        if sample is not None:
            first = line_of_name.setdefault(sample.name, first_line)
            if first != first_line:
                problems.append((("name",), f"{sample.name!r} is the name of the sample in line {first} too"))
            samples.append(sample)
        mistakes += [(_line_of(where, lines), _sentence(path, where, problem, lines)) for where, problem in problems]
    if mistakes:
        raise DatasetError("\n".join(sentence for _, sentence in sorted(mistakes, key=lambda mistake: mistake[0])))
    if not samples:
        raise DatasetError(f"{path}: holds no sample")
    return tuple(samples)


def _documents(path: Path) -> Iterator[tuple[int, str]]:
    """Number of the first line, and text, of every sample."""
    if path.suffix not in {".json", ".jsonl"}:
        raise DatasetError(f"{path}: expected a .json file with one sample, or a .jsonl file with one per line")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    if path.suffix == ".json":
        yield 1, text
    else:
        yield from ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())


def _read_sample(folder: Path, text: str, lines: dict[_Location, int], problems: list[_Problem]) -> CosmosSample | None:
    """One sample, or None; adds the lines of its keys and what is wrong with it."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        lines[()] += error.lineno - 1
        problems.append(((), f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"))
        return None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets without end
        problems.append(((), f"is not JSON that can be read: {error}"))
        return None
    if isinstance(content, dict):
        problems += [(where, "is given twice") for where in _note_key_lines(text, lines)]
    try:
        spec = _SampleFile.model_validate(content, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems += [(details["loc"], problem_in_words(_SampleFile, details)) for details in found]
        return None
    problems += _contradictions(spec)
    problems += _missing_files(spec, folder)
    prompt = _prompt(spec, folder, problems)
    return None if problems else _sample(spec, folder, prompt)


def _contradictions(spec: _SampleFile) -> Iterator[_Problem]:
    """What is wrong between fields that are fine each."""
    active = spec.active_views()
    if not active:
        yield (), f"no view has a control_path. Give one to any of {', '.join(COSMOS_VIEWS)}"
    if (spec.prompt is None) == (spec.prompt_path is None):
        both = "both prompt and prompt_path are given" if spec.prompt is not None else "prompt is missing"
        yield (() if spec.prompt is None else ("prompt_path",)), f"{both}. Give either prompt or prompt_path"
    own = [name for name, view in active.items() if view.num_conditional_frames_per_view]
    for name, view in active.items():
        number = name, "num_conditional_frames_per_view"
        if name in own and not spec.enable_autoregressive:
            yield number, "is for enable_autoregressive only. Use num_conditional_frames of the sample"
        elif own and name not in own:
            yield number, f"is 0, but that of {', '.join(own)} is not. Give every view one, or none"
        elif spec.known_frames(view) and view.input_path is None:
            yield (name, "input_path"), "is missing. Known frames are read from it (num_conditional_frames above 0)"


def _missing_files(spec: _SampleFile, folder: Path) -> Iterator[_Problem]:
    for name, view in spec.views().items():
        for key in ("input_path", "control_path"):
            path = getattr(view, key)
            if path is not None and not (folder / path).is_file():
                yield (name, key), f"no such file: {folder / path}"


def _prompt(spec: _SampleFile, folder: Path, problems: list[_Problem]) -> str:
    """The text of the prompt; that of a file without the space around it, as the reference reads both."""
    key, prompt = "prompt", spec.prompt
    if spec.prompt_path is not None:
        key, path = "prompt_path", folder / spec.prompt_path
        try:
            prompt = path.read_text(encoding="utf-8-sig").strip()
        except OSError as error:
            problems.append(((key,), f"{path} cannot be read: {error.strerror}"))
            return ""
        except UnicodeDecodeError as error:
            problems.append(((key,), f"{path} is not UTF-8 text (byte {error.start})"))
            return ""
    if prompt is not None and not prompt.strip():
        problems.append(((key,), "the prompt is empty"))
    return prompt or ""


def _sample(spec: _SampleFile, folder: Path, prompt: str) -> CosmosSample:
    views = tuple(
        CosmosView(
            name,
            COSMOS_VIEWS.index(name),
            folder / str(view.control_path),
            None if view.input_path is None else folder / view.input_path,
            spec.known_frames(view),
        )
        for name, view in spec.active_views().items()
    )
    plain = spec.model_dump(exclude={"prompt", "prompt_path", *COSMOS_VIEWS})
    return CosmosSample(prompt=prompt, views=views, **plain)


# -- where it is written ---------------------------------------------------------------------------


def _note_key_lines(text: str, lines: dict[_Location, int]) -> list[_Location]:
    """Add the line of every key of a JSON object, by its place in it; gives the keys that occur twice."""
    first_line = lines[()]
    twice: list[_Location] = []
    place: list[str] = []  # the latest key inside of every open bracket
    for token in _KEY_OR_BRACKET.finditer(text):
        if token[0] in {"{", "["}:
            place.append("")
        elif token[0] in {"}", "]"}:
            place.pop()
        elif token[1]:
            place[-1] = json.loads(token[0][: -len(token[1])])
            if tuple(place) in lines and "" not in place:
                twice.append(tuple(place))
            lines[tuple(place)] = first_line + text.count("\n", 0, token.start())
    return twice


def _line_of(where: Sequence[str | int], lines: Mapping[_Location, int]) -> int:
    """The line of a key, or of the nearest that holds it."""
    return next(lines[tuple(where[:end])] for end in range(len(where), -1, -1) if tuple(where[:end]) in lines)


def _sentence(path: Path, where: _Location, problem: str, lines: Mapping[_Location, int]) -> str:
    field = ".".join(map(str, where))
    return (
        f"{path}:{_line_of(where, lines)}  {field}: {problem}" if field else f"{path}:{_line_of((), lines)}  {problem}"
    )
