"""How a clip is sampled is checked where it is said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from models.errors import CheckpointError, ModelError
from models.flow import STUDENT_TIMES
from models.sampling import STUDENT_STEPS, Sampling, usual_sampling, write_usual_sampling


def test_without_choices_a_clip_is_sampled_as_officially() -> None:
    sampling = Sampling()
    assert (sampling.steps, sampling.guidance, sampling.shift, sampling.control_weight) == (35, 3.0, 5.0, 1.0)
    assert sampling.sampler == "unipc" and sampling.cache_threshold is None
    assert all(sampling.guides(index / 35) for index in range(35))


def test_guidance_is_on_within_its_span_and_never_at_zero() -> None:
    ways = [index / 10 for index in range(10)]
    assert [Sampling(guidance_span=(0.2, 0.5)).guides(way) for way in ways] == [False] * 2 + [True] * 3 + [False] * 5
    assert not any(Sampling(guidance=0).guides(way) for way in ways)


def test_a_student_has_an_angle_for_each_of_its_steps() -> None:
    assert len(STUDENT_TIMES) == STUDENT_STEPS == 4
    assert [Sampling(steps, guidance=0, sampler="student").steps for steps in range(1, 5)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"steps": 0}, "steps: there must be at least 1, got 0"),
        ({"guidance": -0.5}, "guidance: must be from 0 (off) to 100, got -0.5"),
        ({"guidance": 101}, "guidance: must be from 0 (off) to 100, got 101"),
        ({"guidance": float("nan")}, "guidance: must be from 0 (off) to 100, got nan"),
        ({"shift": 0.0}, "shift: must be above 0, got 0"),
        ({"control_weight": 1.25}, "control weight: must be from 0 to 1, got 1.25"),
        ({"control_weight": float("nan")}, "control weight: must be from 0 to 1, got nan"),
        ({"guidance_span": (0.6, 0.4)}, "guidance span: must be two rising numbers from 0 to 1, got 0.6 and 0.4"),
        ({"guidance_span": (0.0, 1.5)}, "guidance span: must be two rising numbers from 0 to 1, got 0 and 1.5"),
        ({"cache_threshold": 0.0}, "cache threshold: must be above 0, got 0"),
        (
            {"sampler": "student"},
            "the student sampler takes 1 to 4 steps and guidance 0, got 35 steps and guidance 3",
        ),
        (
            {"sampler": "student", "steps": 5, "guidance": 0},
            "the student sampler takes 1 to 4 steps and guidance 0, got 5 steps and guidance 0",
        ),
    ],
)
def test_numbers_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$"):
        Sampling(**options)


def test_weights_say_how_they_are_sampled(tmp_path: Path) -> None:
    assert usual_sampling(tmp_path) == Sampling()
    student = Sampling(4, 0.0, shift=3.0, sampler="student")
    write_usual_sampling(student, tmp_path)
    assert usual_sampling(tmp_path) == student
    (tmp_path / "sampling.json").write_text('{"steps": 0}')
    sentence = (
        f"{tmp_path}/sampling.json: does not say how to sample: steps: there must be at least 1, got 0. "
        "Write it anew, or remove it"
    )
    with pytest.raises(CheckpointError, match=f"^{re.escape(sentence)}$"):
        usual_sampling(tmp_path)
