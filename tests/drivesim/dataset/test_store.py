"""Data sets on disk: every clip complete and checksummed, or absent."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from striped_world import StripedWorld
from stub_generator import StubGenerator

from drivesim.clip_folder import PLAN_FILE
from drivesim.clip_job import scene_job
from drivesim.dataset.store import AddSettings, add_clip, check_dataset, clips_in
from drivesim.errors import DatasetError, SourceError
from drivesim.generating import GenerationSettings, generate_clip
from drivesim.pipeline import FrameRange, control_videos
from drivesim.scenario.schema import ConditionsFile
from drivesim.world_clips import write_world_clip
from drivesim.world_job import WorldJob, world_job
from scenegraph import Scene
from scenegraph.formats import read_scene

Hashes = Callable[[Path], dict[str, str]]
ROOT = Path(__file__).resolve().parents[3]


def make_clip(scene: Scene, out: Path, seed: int = 0, frames: int = 2) -> Path:
    job = world_job(scene, ConditionsFile(), seed=seed, frames=FrameRange(10.0, first=0, stop=frames), size=(64, 36))
    return write_world_clip(job, out, workers=1).folder


@pytest.fixture(scope="module")
def striped() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorldJob, "open", lambda job: StripedWorld(job))
        yield


@pytest.fixture(scope="module")
def clip(scene: Scene, striped: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(scene, tmp_path_factory.mktemp("clips"))


@pytest.fixture
def other(scene: Scene, striped: None, tmp_path: Path) -> Path:
    return make_clip(scene, tmp_path / "other", seed=1)


@pytest.fixture
def dataset(scene: Scene, clip: Path, tmp_path: Path) -> Path:
    add_clip(tmp_path / "set", clip, scene)
    return tmp_path / "set"


def sentence(work: Callable[[], Any]) -> str:
    with pytest.raises((DatasetError, SourceError)) as error:
        work()
    return str(error.value)


# -- adding -------------------------------------------------------------------------------------------


def test_a_clip_arrives_with_labels_cameras_provenance_and_checksums(dataset: Path, clip: Path, scene: Scene) -> None:
    (stored,) = clips_in(dataset)
    assert stored.name == scene.clip_id
    names = {path.name for path in stored.folder.iterdir()}
    assert {"front.mp4", "left.mp4", "right.mp4", "depth", "clip.json", "cameras.json", "labels", "provenance.json",
            "manifest.json", "world.json"} == names  # fmt: skip
    assert (stored.folder / "front.mp4").read_bytes() == (clip / "front.mp4").read_bytes()
    labels = stored.labels()
    assert len(labels.ego) == 2 and labels.cameras == ("front", "left", "right")
    provenance = json.loads((stored.folder / "provenance.json").read_text())
    assert provenance["licence"] == scene.source["licence"] and provenance["pictures"]["seed"] == 0
    manifest = json.loads((stored.folder / "manifest.json").read_text())
    assert set(manifest["files"]) == {
        path.relative_to(stored.folder).as_posix() for path in stored.folder.rglob("*.*") if path.is_file()
    } - {"manifest.json"}
    assert check_dataset(dataset) == []


def test_the_same_clip_again_changes_nothing(dataset: Path, clip: Path, scene: Scene, hashes: Hashes) -> None:
    before = hashes(dataset)
    assert not add_clip(dataset, clip, scene).is_new
    assert hashes(dataset) == before


def test_another_clip_under_the_same_name_is_refused(dataset: Path, other: Path, scene: Scene, hashes: Hashes) -> None:
    before = hashes(dataset)
    assert sentence(lambda: add_clip(dataset, other, scene)) == (
        f"{dataset}: has another clip, or other labels, under the name {scene.clip_id}. "
        "Give this one another with --name, or add it to another data set"
    )
    assert hashes(dataset) == before
    assert add_clip(dataset, other, scene, AddSettings("night")).is_new
    assert [stored.name for stored in clips_in(dataset)] == [scene.clip_id, "night"]


def test_other_labels_of_the_same_pictures_are_another_clip(dataset: Path, clip: Path, scene: Scene) -> None:
    assert "or other labels" in sentence(lambda: add_clip(dataset, clip, scene, AddSettings(ground=True)))


def test_a_generated_clip_keeps_what_it_was_generated_with(scene: Scene, tmp_path: Path) -> None:
    regime = StubGenerator().regime
    job = scene_job(scene, regime, frames=FrameRange(10.0, first=0, stop=5), size=(64, 48), fit="crop")
    made = generate_clip(job, StubGenerator(), tmp_path / "out", GenerationSettings(seed=7))
    stored = add_clip(tmp_path / "set", made.folder, scene)
    names = {path.name for path in stored.folder.iterdir()}
    assert "front.mp4" in names and not names & {"mosaic.mp4", "mosaic.png", "preview.mp4", ".chunks"}
    provenance = json.loads((stored.folder / "provenance.json").read_text())
    assert provenance["pictures"]["generation"]["seed"] == 7
    assert provenance["pictures"]["generation"]["generator"] == json.loads(json.dumps(StubGenerator().identity()))
    assert len(stored.labels().ego) == 5 and check_dataset(tmp_path / "set") == []


def test_linked_files_share_their_bytes(clip: Path, scene: Scene, tmp_path: Path) -> None:
    stored = add_clip(tmp_path / "set", clip, scene, AddSettings(link=True))
    assert (stored.folder / "front.mp4").samefile(clip / "front.mp4")
    assert check_dataset(tmp_path / "set") == []


def test_a_name_that_climbs_stays_within_the_data_set(clip: Path, scene: Scene, tmp_path: Path) -> None:
    stored = add_clip(tmp_path / "set", clip, scene, AddSettings("../../away"))
    assert stored.folder.parent == tmp_path / "set" / "clips" and clips_in(tmp_path / "set")[0].name == "../../away"
    assert check_dataset(tmp_path / "set") == []


# -- what is refused ----------------------------------------------------------------------------------


def test_a_scene_that_the_clip_was_not_made_from_is_refused(clip: Path, scene: Scene, tmp_path: Path) -> None:
    fewer = replace(scene, actors=scene.actors[1:])
    assert sentence(lambda: add_clip(tmp_path / "set", clip, fewer)) == (
        f"{clip}: was not made from this {scene.clip_id}. "
        "Name the log or scenario that it was made from, with the same --set"
    )
    assert list((tmp_path / "set" / "clips").iterdir()) == []


def test_a_folder_without_a_clip_is_refused(scene: Scene, tmp_path: Path) -> None:
    assert sentence(lambda: add_clip(tmp_path / "set", tmp_path, scene)) == (
        f"{tmp_path}: is not the folder of a clip, it has no clip.json. Name OUT/CLIP"
    )


def test_an_unfinished_clip_is_refused(clip: Path, scene: Scene, tmp_path: Path) -> None:
    half = Path(shutil.copytree(clip, tmp_path / "half"))
    (half / "clip.json").rename(half / PLAN_FILE)
    assert sentence(lambda: add_clip(tmp_path / "set", half, scene)) == (
        f"{half}: the clip is not finished. Run the command that made it again; it goes on"
    )


def test_control_videos_are_refused(scene: Scene, tmp_path: Path) -> None:
    made = control_videos(scene, tmp_path, frames=FrameRange(10.0, first=0, stop=1), size=(64, 36))
    assert sentence(lambda: add_clip(tmp_path / "set", made.folder, scene)) == (
        f"{made.folder}: holds control videos. A data set takes clips of generate and of world"
    )


def test_a_lost_video_is_named(clip: Path, scene: Scene, tmp_path: Path) -> None:
    torn = Path(shutil.copytree(clip, tmp_path / "torn"))
    (torn / "left.mp4").unlink()
    assert sentence(lambda: add_clip(tmp_path / "set", torn, scene)) == (
        f"{torn}: left.mp4: missing. Run the command that made the clip again"
    )


def test_a_video_of_another_length_is_named(scene: Scene, clip: Path, striped: None, tmp_path: Path) -> None:
    torn = Path(shutil.copytree(clip, tmp_path / "torn"))
    longer = make_clip(scene, tmp_path / "longer", frames=3)
    shutil.copyfile(longer / "left.mp4", torn / "left.mp4")
    assert sentence(lambda: add_clip(tmp_path / "set", torn, scene)) == (
        f"{torn / 'left.mp4'}: has 3 frames instead of 2. Make the clip anew"
    )


def test_a_folder_of_something_else_is_left_alone(clip: Path, scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert sentence(lambda: add_clip(tmp_path, clip, scene)) == (
        f"{tmp_path}: exists and is no data set. Name another folder"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_check_of_something_else_is_refused(tmp_path: Path) -> None:
    assert sentence(lambda: check_dataset(tmp_path)) == (
        f"{tmp_path}: is no data set, it has no dataset.json. Make one with drivesim dataset add"
    )


# -- checking -----------------------------------------------------------------------------------------


def damaged(dataset: Path) -> Path:
    return clips_in(dataset)[0].folder


def test_a_missing_an_altered_a_cut_and_a_foreign_file_are_named(dataset: Path) -> None:
    folder = damaged(dataset)
    (folder / "front.mp4").unlink()
    video = folder / "left.mp4"
    content = bytearray(video.read_bytes())
    content[100] ^= 1
    video.write_bytes(content)
    cut = folder / "right.mp4"
    length = cut.stat().st_size
    cut.write_bytes(cut.read_bytes()[:-1])
    (folder / "notes.txt").write_text("?")
    assert check_dataset(dataset) == [
        f"{folder / 'front.mp4'}: is missing",
        f"{video}: was altered, its sha256 is another",
        f"{cut}: has {length - 1} bytes instead of {length}",
        f"{folder / 'notes.txt'}: is not in the manifest",
    ]


def test_a_lost_manifest_a_stray_file_and_a_left_over_folder_are_named(dataset: Path) -> None:
    folder = damaged(dataset)
    (folder / "manifest.json").unlink()
    (dataset / "clips" / ".x.partial-host-1-2").mkdir()
    (dataset / "clips" / "stray.txt").write_text("?")
    assert check_dataset(dataset) == [
        f"{dataset / 'clips' / '.x.partial-host-1-2'}: was left by a program that was stopped, or is being written. "
        "Delete it if not",
        f"{folder / 'manifest.json'}: is missing. Delete the folder of the clip and add it again",
        f"{dataset / 'clips' / 'stray.txt'}: is no folder of a clip",
    ]


def test_a_renamed_clip_is_named(dataset: Path, scene: Scene) -> None:
    folder = damaged(dataset)
    moved = folder.rename(folder.with_name("elsewhere"))
    assert check_dataset(dataset) == [f"{moved}: holds the clip {scene.clip_id} and should be named {folder.name}"]


# -- killed and crowded -------------------------------------------------------------------------------

_CHILD = """
import os, signal, sys
from pathlib import Path
from drivesim.dataset.store import AddSettings, add_clip, check_dataset
from scenegraph.formats import read_scene

log, clip, out, *what = sys.argv[1:]
scene = read_scene(Path(log), "clipgt")
import drivesim.dataset.labels, render.video, pyarrow.parquet  # before any thread and any fork

def add(dataset, name=None, deadly=0, ground=False):
    # Adds in a process of its own, which kills itself at the n-th touch of the data set's files.
    child = os.fork()
    if child:
        return child
    touched = 0
    def watch(event, arguments):
        nonlocal touched
        if event not in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.copyfile"):
            return
        if any(isinstance(a, (str, os.PathLike)) and str(a).startswith(dataset) for a in arguments):
            touched += 1
            if touched == deadly:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(watch)
    status = 1
    try:
        add_clip(dataset, clip, scene, AddSettings(name, ground=ground))
        Path(out, "touches").write_text(str(touched))
        status = 0
    except BaseException as error:
        print(repr(error), flush=True)
    finally:
        os._exit(status)

def end(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

if what[0] == "kill":
    assert end(add(f"{out}/counted")) == 0
    count = int(Path(out, "touches").read_text())
    for moment in sorted({*range(1, count, count // 9), *range(count - 3, count + 1)}):
        dataset = f"{out}/killed-{moment}"
        killed = end(add(dataset, deadly=moment))
        clips = Path(dataset, "clips")
        there = sorted(p.name for p in clips.iterdir() if p.name[0] != ".") if clips.is_dir() else []
        known = Path(dataset, "dataset.json").is_file()
        whole = not known or all("was left by" in fault for fault in check_dataset(dataset))
        again = end(add(dataset))
        print(moment, killed, len(there), whole, again, check_dataset(dataset))
elif what[0] == "crowd":
    children = [add(f"{out}/crowd", name) for name in ("one", "one", "two", "one", "two")]
    print([end(child) for child in children], check_dataset(f"{out}/crowd"))
elif what[0] == "clash":
    children = [add(f"{out}/clash", ground=ground) for ground in (False, True)]
    print(sorted(end(child) for child in children), check_dataset(f"{out}/clash"))
"""


def child(scene_folder: Path, clip: Path, out: Path, *what: object) -> list[str]:
    arguments = [sys.executable, "-c", _CHILD, scene_folder, clip, out, *what]
    done = subprocess.run([*map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_killed_program_leaves_no_half_clip_and_the_next_one_finishes(
    scene_folder: Path, striped: None, tmp_path: Path, hashes: Hashes
) -> None:
    scene = read_scene(scene_folder, "clipgt")
    clip = make_clip(scene, tmp_path / "out")
    add_clip(tmp_path / "calm", clip, scene)
    lines = child(scene_folder, clip, tmp_path, "kill")
    assert len(lines) >= 12
    absent = [line.split(" ", 1) for line in lines[:-2]]
    assert {said for _, said in absent} == {"-9 0 True 0 []"}  # killed, no clip, nothing else wrong, then all is well
    for folder in sorted(tmp_path.glob("killed-*")):
        assert hashes(folder) == hashes(tmp_path / "calm"), folder.name
    for line in lines[-2:]:  # the last touches are those after the clip took its name
        assert line.split(" ", 1)[1] == "-9 1 True 0 []"


def test_many_writers_leave_every_clip_whole(scene_folder: Path, striped: None, tmp_path: Path) -> None:
    scene = read_scene(scene_folder, "clipgt")
    clip = make_clip(scene, tmp_path / "out")
    assert child(scene_folder, clip, tmp_path, "crowd") == ["[0, 0, 0, 0, 0] []"]
    assert [stored.name for stored in clips_in(tmp_path / "crowd")] == ["one", "two"]
    assert [path.name for path in sorted((tmp_path / "crowd" / "clips").iterdir())] == ["one", "two"]


def test_of_two_writers_of_different_clips_under_one_name_one_is_refused(
    scene_folder: Path, striped: None, tmp_path: Path
) -> None:
    clip = make_clip(read_scene(scene_folder, "clipgt"), tmp_path / "out")
    said, ends = child(scene_folder, clip, tmp_path, "clash")
    assert said.startswith("DatasetError(") and "has another clip, or other labels, under the name" in said
    assert ends == "[0, 1] []"
