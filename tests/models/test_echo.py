"""Without weights the controls come back, with what is known of the picture in its place."""

from __future__ import annotations

import numpy as np
from tiny_models import tiny_request

from models.echo import EchoGenerator
from models.request import Generator, Regime


def test_the_controls_come_back_as_a_copy() -> None:
    request = tiny_request()
    frames = EchoGenerator().generate(request)
    assert frames.dtype == np.uint8 and np.array_equal(frames, request.control)
    assert not np.shares_memory(frames, request.control)


def test_known_frames_take_their_place() -> None:
    white = np.full((5, 32, 48, 3), 255, dtype=np.uint8)
    request = tiny_request(frames=9, known_frames=(white, white[:0], white[:1]))
    frames = EchoGenerator().generate(request)
    changed = (frames != request.control).any(axis=(2, 3, 4))
    assert np.array_equal(frames[0, :5], white) and np.array_equal(frames[2, :1], white[:1])
    assert [int(count) for count in changed.sum(axis=1)] == [5, 0, 1]


def test_progress_is_told_and_ends() -> None:
    told: list[tuple[str, int, int]] = []
    EchoGenerator().generate(tiny_request(), lambda *step: told.append(step))
    assert told[-1] == ("Echoing", 1, 1)


def test_it_is_a_generator_that_says_what_it_is() -> None:
    echo: Generator = EchoGenerator()
    assert echo.identity() == {"kind": "echo"} and echo.regime == Regime()
    assert EchoGenerator(Regime(clip_frames=5)).regime.clip_frames == 5
