"""Several processes give the numbers of one, whatever they share; what cannot be shared is refused by all."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import parallel_cases
import pytest
import torch
from parallel_cases import CASES, LOSSY
from tiny_models import tiny_config, tiny_generator, tiny_request
from torch import Tensor
from torch.multiprocessing.spawn import spawn

from models.config import COSMOS_2B_JOINT, COSMOS_2B_NEIGHBOURS
from models.errors import CapacityError
from models.parallel import ALONE, Plan, from_launcher, launcher_device, plan
from models.split_layout import even_sizes

ROOT = Path(__file__).resolve().parents[2]

Results = list[dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[dict[int, dict[str, Any]]]:
    """Results by process, number of processes and name."""
    folder = tmp_path_factory.mktemp("results")
    spawn(parallel_cases.work, (folder,), nprocs=max(CASES))
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(max(CASES))]


@pytest.fixture(scope="module")
def two(made: list[dict[int, dict[str, Any]]]) -> Results:
    return [results[2] for results in made[:2]]


@pytest.fixture(scope="module")
def four(made: list[dict[int, dict[str, Any]]]) -> Results:
    return [results[4] for results in made]


@pytest.fixture
def results(request: pytest.FixtureRequest) -> Results:
    return request.getfixturevalue(request.param)


def _cases(function: Any, **wanted: Any) -> Any:
    """Decorator: once per case of a kind, with those arguments, at two and four processes."""
    chosen = [
        pytest.param({2: "two", 4: "four"}[world], name, id=f"{world}-{name}")
        for world, cases in CASES.items()
        for name, (_, run) in cases.items()
        if getattr(run, "func", run) is function and wanted.items() <= getattr(run, "keywords", {}).items()
    ]
    assert chosen
    return pytest.mark.parametrize(("results", "name"), chosen, indirect=["results"])


def _alone(results: Results, name: str) -> Any:
    return CASES[len(results)][name][1](ALONE)


# -- passes -------------------------------------------------------------------------------------------


@_cases(parallel_cases.velocities)
def test_velocities_are_those_of_one_process(results: Results, name: str) -> None:
    alone = _alone(results, name)
    bound = 0.05 if "bfloat16" in name else 1e-5
    assert alone.std() > 0.5 and (alone[0] - alone[1]).abs().max() > 0.1
    for together in results:
        assert (together[name] - alone).abs().max() < bound
        assert torch.equal(together[name], results[0][name])


@_cases(parallel_cases.cached_steps)
def test_all_processes_skip_the_steps_that_one_would(results: Results, name: str) -> None:
    velocities, skipped = _alone(results, name)
    assert skipped == [0, 1, 2, 2, 3]
    for together in results:
        assert together[name][1] == skipped
        assert (together[name][0] - velocities).abs().max() < 1e-5


@_cases(parallel_cases.mean_of_parts)
def test_a_mean_over_uneven_parts_is_that_of_the_whole(results: Results, name: str) -> None:
    for together in results:
        assert together[name] == pytest.approx(_alone(results, name), rel=1e-6)


# -- clips --------------------------------------------------------------------------------------------


@_cases(parallel_cases.clip)
def test_clips_are_those_of_one_process_to_a_level(results: Results, name: str) -> None:
    frames, latents = _alone(results, name)
    assert latents.std() > 0.3 and frames.std() > 20
    for together in results:
        assert (together[name][1] - latents).abs().max() < 1e-4
        assert np.abs(together[name][0].astype(int) - frames).max() <= 1
        assert torch.equal(together[name][1], results[0][name][1])
        assert np.array_equal(together[name][0], results[0][name][0])


def test_the_lossy_clip_that_is_compared_did_lose_something() -> None:
    exact = replace(LOSSY, cache_threshold=None)
    lossy, other = (parallel_cases.clip(ALONE, "joint", sampling)[1] for sampling in (LOSSY, exact))
    assert (lossy - other).abs().max() > 0.1


@_cases(parallel_cases.spread, kind="numpy")
def test_work_on_an_array_of_views_comes_back_whole(results: Results, name: str) -> None:
    for together in results:
        views = len(together[name])
        assert together[name].dtype == np.uint8
        assert np.array_equal(together[name], np.arange(1, 2 * views + 1).reshape(views, 2))
    assert len(results[0][name]) != len(results)


@_cases(parallel_cases.spread, kind="tensor")
def test_work_on_a_tensor_of_views_comes_back_whole(results: Results, name: str) -> None:
    for together in results:
        assert isinstance(together[name], Tensor) and together[name].dtype == torch.bfloat16
        assert torch.equal(together[name], 2 * torch.arange(together[name].numel()).view(-1, 2).bfloat16())
    assert len(results[0][name]) != len(results)


# -- refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("bad view", "ShapeError: view 1 is bad"),
        ("other plan", "CapacityError: a plan for 10 processes, but 2 are running"),
        ("too few views", "CapacityError: a pass over 2 processes cannot be split over 1 views: start fewer"),
        (
            "too few tokens",
            "CapacityError: a pass over 2 processes cannot be split over 1 heads or tokens of a frame: start fewer",
        ),
    ],
)
def test_what_one_process_refuses_is_refused_by_all(two: Results, name: str, sentence: str) -> None:
    assert [together[name] for together in two] == [sentence, sentence]


def test_the_first_process_embeds_texts_and_what_it_lacks_is_refused_by_all(two: Results) -> None:
    assert [together["unknown text"] for together in two] == [
        ("ModelError: no embedding of 'fog'", 1),
        ("ModelError: no embedding of 'fog'", 0),
    ]


def test_a_clip_that_one_process_has_no_memory_for_is_refused_by_all(two: Results) -> None:
    first, last = (together["too little memory"] for together in two)
    assert first == last
    assert first.startswith("CapacityError: 3 views of 5 frames at 48x32: about 0.0 GB are needed and 0.0 GB are free")


# -- plans --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("processes", "guides", "wanted"),
    [
        (1, True, Plan(1, 1, "tokens")),
        (1, False, Plan(1, 1, "tokens")),
        (2, True, Plan(2, 1, "tokens")),
        (2, False, Plan(1, 2, "tokens")),
        (3, True, Plan(1, 3, "tokens")),
        (7, False, Plan(1, 7, "tokens")),
        (8, True, Plan(2, 4, "tokens")),
        (16, False, Plan(1, 16, "tokens")),
        (32, True, Plan(2, 16, "tokens")),
    ],
)
def test_the_joint_form_is_split_over_tokens(processes: int, guides: bool, wanted: Plan) -> None:
    assert plan(processes, COSMOS_2B_JOINT, 7, guides) == wanted


@pytest.mark.parametrize(
    ("processes", "guides", "wanted"),
    [
        (1, True, Plan(1, 1, "views")),
        (2, True, Plan(2, 1, "views")),
        (7, True, Plan(1, 7, "views")),
        (7, False, Plan(1, 7, "views")),
        (8, False, Plan(1, 8, "tokens")),
        (8, True, Plan(2, 4, "views")),
        (9, True, Plan(1, 9, "tokens")),
        (14, True, Plan(2, 7, "views")),
        (16, True, Plan(2, 8, "tokens")),
    ],
)
def test_the_neighbours_form_is_split_over_views_while_there_are_enough(
    processes: int, guides: bool, wanted: Plan
) -> None:
    assert plan(processes, COSMOS_2B_NEIGHBOURS, 7, guides) == wanted


@pytest.mark.parametrize("config", [COSMOS_2B_JOINT, COSMOS_2B_NEIGHBOURS])
@pytest.mark.parametrize("guides", [False, True])
def test_every_number_of_processes_is_used_whole_or_refused(config: Any, guides: bool) -> None:
    usable = []
    for processes in range(1, 33):
        try:
            found = plan(processes, config, 7, guides)
        except CapacityError as error:
            assert str(error).endswith(f"with this network: start {usable[-1]}")
            continue
        usable.append(processes)
        assert found.sides * found.shares == processes
        assert found.sides == (2 if guides and processes % 2 == 0 else 1)
        assert found.shares <= (7 if found.over == "views" else 16)
    assert usable == [*range(1, 17), *(range(18, 33, 2) if guides else ())]


@pytest.mark.parametrize(
    ("processes", "views", "guides", "sentence"),
    [
        (6, 3, False, "6 processes cannot share a clip of 3 views without guidance with this network: start 5"),
        (12, 3, True, "12 processes cannot share a clip of 3 views with this network: start 10"),
        (7, 3, True, "7 processes cannot share a clip of 3 views with this network: start 6"),
        (16, 7, True, "16 processes cannot share a clip of 7 views with this network: start 14"),
    ],
)
def test_too_many_processes_are_told_how_many_to_start(processes: int, views: int, guides: bool, sentence: str) -> None:
    with pytest.raises(CapacityError) as caught:
        plan(processes, tiny_config("neighbours"), views, guides)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("total", "parts", "sizes"), [(5, 2, [3, 2]), (7, 4, [2, 2, 2, 1]), (1, 3, [1, 0, 0]), (6, 3, [2, 2, 2])]
)
def test_even_sizes_differ_by_one_at_most(total: int, parts: int, sizes: list[int]) -> None:
    assert even_sizes(total, parts) == sizes


# -- starting -----------------------------------------------------------------------------------------


def test_without_a_launcher_one_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert from_launcher(tiny_config(), 3, True) is ALONE
    assert ALONE.is_first and ALONE.shares == 1


def test_too_many_launched_processes_are_refused_before_they_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "11")
    with pytest.raises(CapacityError, match=r"start 10$"):
        from_launcher(tiny_config(), 3, True)


@pytest.mark.parametrize(
    ("name", "gpus", "rank", "wanted"),
    [("auto", 0, 0, "cpu"), ("auto", 4, 3, "cuda:3"), ("cuda", 2, 1, "cuda:1"), ("cuda:0", 2, 1, "cuda:0")],
)
def test_every_process_gets_the_gpu_of_its_local_rank(
    monkeypatch: pytest.MonkeyPatch, name: str, gpus: int, rank: int, wanted: str
) -> None:
    _pretend_gpus(monkeypatch, gpus, rank)
    assert launcher_device(name) == torch.device(wanted)


@pytest.mark.parametrize(
    ("name", "gpus", "rank", "sentence"),
    [
        ("gpu", 0, 0, "device: 'gpu' is none. Use auto, cpu, cuda or cuda:N"),
        ("cuda", 0, 0, "device: this machine has no GPU that torch can use. Use cpu"),
        (
            "auto",
            2,
            2,
            "device: there is no cuda:2, this machine has 2. Start no more processes than it has GPUs",
        ),
    ],
)
def test_a_device_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, gpus: int, rank: int, sentence: str
) -> None:
    _pretend_gpus(monkeypatch, gpus, rank)
    with pytest.raises(CapacityError) as caught:
        launcher_device(name)
    assert str(caught.value) == sentence


def _pretend_gpus(monkeypatch: pytest.MonkeyPatch, gpus: int, rank: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setenv("LOCAL_RANK", str(rank))


_SCRIPT = """
import sys

import numpy as np
import torch
from tiny_models import tiny_config, tiny_generator, tiny_request

from models.parallel import from_launcher

torch.set_num_threads(1)
processes = from_launcher(tiny_config(), 3, True, torch.device("cpu"))
frames = tiny_generator(processes=processes).generate(tiny_request())
if processes.is_first:
    np.save(sys.argv[1], frames)
"""


@pytest.mark.slow
def test_processes_of_torchrun_make_the_clip_of_one(tmp_path: Path) -> None:
    script, made = tmp_path / "script.py", tmp_path / "frames.npy"
    script.write_text(_SCRIPT)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script, made],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=120,
    )
    frames = np.load(made).astype(int)
    assert np.abs(frames - tiny_generator().generate(tiny_request())).max() <= 1
