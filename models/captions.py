"""Which text each view gets: one caption for a clip, or one per view.

The released generator has one caption per clip. The view that looks ahead carries it, the others carry a
placeholder. Every distinct text occurs once in the result, so it is encoded and projected once, however many views
share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from .errors import ShapeError

CaptionMode = Literal["official", "training", "per_view"]
"""How texts are laid over views.

official: as the released generator infers; views without the caption carry a single space.
training: as the released weights were trained; every view carries a sentence that says where its camera looks.
per_view: every view has its own prompt.
"""

# The released pipeline has another text built in. Numbers comparable with it need that text as negative_prompt.
DEFAULT_NEGATIVE_PROMPT = (
    "A badly made driving video: blurred and noisy pictures, brightness that flickers from frame to frame, blocky "
    "compression artefacts, vehicles that melt, double or vanish, lane markings that bend and jump, unreadable signs, "
    "smeared textures, dull colours and motion that does not look real."
)

_FRONT_WIDE = 0
PLACEHOLDER = " "
"""What views without a caption carry in the official arrangement."""

_MOUNTED = "The video is captured from a camera mounted on a car. The camera is facing"
_VIEW_SENTENCES = (
    f"{_MOUNTED} forward.",
    f"{_MOUNTED} to the right.",
    f"{_MOUNTED} the rear right side.",
    f"{_MOUNTED} backwards.",
    f"{_MOUNTED} the rear left side.",
    f"{_MOUNTED} to the left.",
    "The video is captured from a telephoto camera mounted on a car. The camera is facing forward.",
)
"""By view id."""


@dataclass(frozen=True)
class Captions:
    """The texts of a clip and who carries them.

    texts: the distinct ones, in order of first use, positive before negative.
    positive, negative: [V], the place in ``texts`` of what each view carries in the two guidance passes.
    """

    texts: tuple[str, ...]
    positive: tuple[int, ...]
    negative: tuple[int, ...]


def arrange(
    prompts: Sequence[str],
    negative_prompt: str,
    camera_names: Sequence[str],
    view_ids: Sequence[int],
    mode: CaptionMode = "official",
) -> Captions:
    """Lay prompts over the V views of a clip.

    prompts: one; for ``per_view`` also V. camera_names: [V], for messages.
    view_ids: [V]; id 0, the wide front camera, carries the caption, and without it the first view.

    The negative texts of ``training`` are those of a guidance pass. Training itself had no negative prompt: its
    unconditional pass saw zeros instead of an embedding.
    """
    _check(prompts, camera_names, view_ids, mode)
    views = len(view_ids)
    if mode == "per_view":
        positive = list(prompts) if len(prompts) == views else [prompts[0]] * views
        return _indexed(positive, [negative_prompt] * views)
    prefixes = [""] * views if mode == "official" else _prefixes(camera_names, view_ids)
    elsewhere = PLACEHOLDER if mode == "official" else ""
    caption_view = view_ids.index(_FRONT_WIDE) if _FRONT_WIDE in view_ids else 0

    def texts(caption: str) -> list[str]:
        return [prefix + (caption if v == caption_view else elsewhere) for v, prefix in enumerate(prefixes)]

    return _indexed(texts(prompts[0]), texts(negative_prompt))


def _check(prompts: Sequence[str], camera_names: Sequence[str], view_ids: Sequence[int], mode: str) -> None:
    if mode not in get_args(CaptionMode):
        raise ShapeError(f"caption mode: {mode!r} is none of {', '.join(get_args(CaptionMode))}")
    views = len(view_ids)
    if views == 0 or len(camera_names) != views:
        raise ShapeError(f"captions: {len(camera_names)} camera names and {views} view ids. Give one of each per view")
    if isinstance(prompts, str):
        raise ShapeError("prompts: a single string. Give a list, of one prompt for all views or one per view")
    if len(prompts) == 1:
        return
    if len(prompts) != views:
        raise ShapeError(f"prompts: {len(prompts)} for {views} views. Give one, or one per view")
    if mode != "per_view":
        raise ShapeError(f"prompts: {len(prompts)} in caption mode {mode}. Give one caption, or caption mode per_view")


def _prefixes(camera_names: Sequence[str], view_ids: Sequence[int]) -> list[str]:
    for name, view_id in zip(camera_names, view_ids, strict=True):
        if not 0 <= view_id < len(_VIEW_SENTENCES):
            raise ShapeError(
                f"{name}: view id {view_id} has no sentence for caption mode training, which knows ids 0 to "
                f"{len(_VIEW_SENTENCES) - 1}. Use caption mode official or per_view"
            )
    return [_VIEW_SENTENCES[view_id] + " " for view_id in view_ids]


def _indexed(positive: Sequence[str], negative: Sequence[str]) -> Captions:
    texts = tuple(dict.fromkeys([*positive, *negative]))
    place = {text: index for index, text in enumerate(texts)}
    return Captions(texts, tuple(place[text] for text in positive), tuple(place[text] for text in negative))
