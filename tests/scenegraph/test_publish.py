"""Published files and folders are whole or absent, whatever happens to the process that writes them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scenegraph import SceneGraphError
from scenegraph.publish import atomic_file, atomic_folder

WRITE_AND_WAIT = """
import sys
from scenegraph.publish import {publisher}
with {publisher}(sys.argv[1]) as partial:
    target = partial / "a.txt" if partial.is_dir() else partial
    target.write_text("half")
    print("written", flush=True)
    sys.stdin.read()
"""


def _kill_while_writing(publisher: str, path: Path) -> None:
    code = WRITE_AND_WAIT.format(publisher=publisher)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def _write_file(path: Path, text: str) -> None:
    with atomic_file(path) as partial:
        partial.write_text(text)


def _write_folder(path: Path) -> None:
    with atomic_folder(path, replace=True) as partial:
        (partial / "b.txt").write_text("second")


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "front.mp4"
    with atomic_file(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
        assert partial.name.startswith(".front.mp4.partial-")
    assert path.read_text() == "whole"
    assert _names(path.parent) == ["front.mp4"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "front.mp4"
    path.write_text("old")
    with pytest.raises(failure), atomic_file(path) as partial:
        partial.write_text("half")
        raise failure
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["front.mp4"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_no_folder(tmp_path: Path, failure: type[BaseException]) -> None:
    with pytest.raises(failure), atomic_folder(tmp_path / "scene") as partial:
        (partial / "a.txt").write_text("half")
        raise failure
    assert _names(tmp_path) == []


def test_a_folder_takes_the_place_of_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "scene"
    path.mkdir()
    with atomic_folder(path) as partial:
        (partial / "a.txt").write_text("whole")
    assert _names(path) == ["a.txt"]
    assert _names(tmp_path) == ["scene"]


def test_a_folder_with_files_is_refused_unless_replacing_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "scene"
    path.mkdir()
    (path / "mine.txt").write_text("precious")
    with pytest.raises(SceneGraphError) as caught, atomic_folder(path):
        raise AssertionError("the block must not run")
    assert str(caught.value) == f"{path}: exists and is not empty. Remove it or name another folder"
    assert _names(path) == ["mine.txt"]
    with atomic_folder(path, replace=True) as partial:
        (partial / "a.txt").write_text("whole")
        assert _names(path) == ["mine.txt"]
    assert _names(path) == ["a.txt"]
    assert _names(tmp_path) == ["scene"]


def test_a_failed_replacement_keeps_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "scene"
    path.mkdir()
    (path / "mine.txt").write_text("precious")
    with pytest.raises(ValueError, match="stop"), atomic_folder(path, replace=True):
        raise ValueError("stop")
    assert _names(path) == ["mine.txt"]


@pytest.mark.parametrize("publisher", ["atomic_file", "atomic_folder"])
def test_a_killed_run_leaves_nothing_that_looks_whole_and_the_next_run_tidies_up(
    tmp_path: Path, publisher: str
) -> None:
    path = tmp_path / "front.mp4"
    _kill_while_writing(publisher, path)
    left = _names(tmp_path)
    assert len(left) == 1
    assert left[0].startswith(".front.mp4.partial-")
    assert not left[0].endswith(".mp4")
    with atomic_file(path) as partial:
        partial.write_text("whole")
    assert _names(tmp_path) == ["front.mp4"]


def test_leftovers_of_running_processes_other_hosts_and_other_names_stay(tmp_path: Path) -> None:
    host, parent = socket.gethostname(), os.getppid()
    kept = [f".a.txt.partial-{host}-{parent}-5", f".a.txt.partial-elsewhere{host}-1-5"]
    kept.append(f".b.txt.partial-{host}-999999999-5")
    for name in kept:
        (tmp_path / name).write_text("not ours")
    with atomic_file(tmp_path / "a.txt") as partial:
        partial.write_text("whole")
    assert _names(tmp_path) == sorted([*kept, "a.txt"])


def test_what_an_earlier_process_with_our_number_left_is_deleted(tmp_path: Path) -> None:
    (tmp_path / f".a.txt.partial-{socket.gethostname()}-{os.getpid()}-5").write_text("half")
    with atomic_file(tmp_path / "a.txt") as partial:
        partial.write_text("whole")
    assert _names(tmp_path) == ["a.txt"]


def test_two_threads_that_write_the_same_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with ThreadPoolExecutor() as threads, atomic_file(path) as first:
        first.write_text("first")
        threads.submit(_write_file, path, "second").result()
        assert path.read_text() == "second"
        assert first.read_text() == "first"
    assert path.read_text() == "first"
    assert _names(tmp_path) == ["a.txt"]


def test_two_threads_that_replace_the_same_folder_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "scene"
    with ThreadPoolExecutor() as threads, atomic_folder(path, replace=True) as first:
        (first / "a.txt").write_text("first")
        threads.submit(_write_folder, path).result()
        assert _names(path) == ["b.txt"]
    assert _names(path) == ["a.txt"]
    assert _names(tmp_path) == ["scene"]


def test_a_folder_that_was_filled_meanwhile_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "scene"
    with pytest.raises(SceneGraphError) as caught, atomic_folder(path) as first:
        (first / "a.txt").write_text("first")
        _write_folder(path)
    assert str(caught.value) == f"{path}: exists and is not empty. Remove it or name another folder"
    assert _names(path) == ["b.txt"]
    assert _names(tmp_path) == ["scene"]


def test_a_folder_that_a_killed_run_had_set_aside_comes_back(tmp_path: Path) -> None:
    aside = tmp_path / f".scene.previous-{socket.gethostname()}-999999999-5"
    aside.mkdir()
    (aside / "mine.txt").write_text("precious")
    path = tmp_path / "scene"
    with pytest.raises(SceneGraphError, match="not empty"), atomic_folder(path):
        raise AssertionError("the block must not run")
    assert _names(path) == ["mine.txt"]


def test_files_and_folders_are_not_mistaken_for_each_other(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SceneGraphError, match="is a file"), atomic_folder(tmp_path / "file"):
        raise AssertionError("the block must not run")
    with pytest.raises(SceneGraphError, match="is a folder"), atomic_file(tmp_path):
        raise AssertionError("the block must not run")


def test_a_parent_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("here")
    with pytest.raises(SceneGraphError) as error, atomic_file(tmp_path / "note" / "a" / "clip.mp4"):
        pass
    assert str(error.value) == f"{tmp_path}/note/a/clip.mp4: cannot be written: {tmp_path}/note is a file"
