"""What a person sees: on a terminal, and when the output goes to a file."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from drivesim import console

ROOT = Path(__file__).resolve().parents[2]
DRIVESIM = [sys.executable, "-c", "from drivesim.cli import main; main()"]
CONTROL_CODES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def on_a_terminal(arguments: list[str]) -> str:
    """All that a command writes when a terminal of 100 columns is its input and output."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "PYTHONPATH": str(ROOT)}
    command = subprocess.Popen(
        [*DRIVESIM, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:  # how Linux says that the other side has closed
        pass
    os.close(ours)
    assert command.wait() == 0
    return b"".join(parts).decode()


def test_a_terminal_shows_a_bar_with_the_time_left(scene_folder: Path, tmp_path: Path) -> None:
    shown = on_a_terminal(["render", str(scene_folder), "-o", str(tmp_path / "out"), "--size", "64x36"])
    assert re.search(r"Drawing 3 cameras .*━.*183/183.*left.*\d:\d\d:\d\d", shown)
    assert "Reading " in shown
    assert shown.rstrip().endswith("3 control videos of 61 frames")


def test_nothing_but_the_result_is_piped(scene_folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*DRIVESIM, "render", str(scene_folder), "-o", "out", "--size", "64x36"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout == "out/built-in-crossing: 3 control videos of 61 frames\n"
    assert CONTROL_CODES.search(done.stdout) is None


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with console.working("Reading"), console.progress("Drawing", 3) as advance:
        advance()
    assert capsys.readouterr() == ("", "")


def test_stages_move_the_bar_by_steps_of_sampling_only() -> None:
    shown: list[tuple[str, int]] = []
    report = console.Stages(lambda stage, done: shown.append((stage, done)))
    report("Encoding control videos", 1, 1)
    for step in (0, 1, 2):
        report("Sampling", step, 2)
    report("Decoding", 1, 1)
    report.finish(2)
    report("Sampling", 1, 2)
    assert shown == [
        ("Encoding control videos", 0),
        ("Sampling", 0),
        ("Sampling", 1),
        ("Sampling", 2),
        ("Decoding", 0),
        ("Decoding", 2),
        ("Sampling", 3),
    ]


def test_stages_are_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with console.stages("Generating", 3) as report:
        report("Sampling", 1, 3)
        report.finish(3)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_stages_of_generating(scene_folder: Path, tmp_path: Path) -> None:
    arguments = ["generate", str(scene_folder), "--echo", "-o", str(tmp_path / "out"), "--size", "64x32"]
    shown = on_a_terminal([*arguments, "--frames", "0:5", "--cameras", "front"])
    assert "Generating 1 views of 5 frames" in shown
    assert re.search(r"Writing 1 videos .*15/15", shown)
    assert shown.rstrip().endswith("1 video of 5 frames")


def test_a_table_is_aligned_and_never_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    console.table("Things", ["name", "number", "words"], [["a", "5", "x" * 200], ["bcd", "10", "y"]])
    assert capsys.readouterr().out == (
        f"Things\n  name  number  words\n  a          5  {'x' * 200}\n  bcd       10  y\n"
    )


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    console.table("Things", ["name"], [])
    assert capsys.readouterr().out == "Things\n  none\n"


@pytest.mark.parametrize("text", ["a[bold]b", "[/nothing]", ":smile:", "100%", "\\[x]"])
def test_names_are_shown_as_they_are(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.out.print(text)
    console.table("T", ["name"], [[text]])
    console.print_error(text)
    out, err = capsys.readouterr()
    assert out == f"{text}\nT\n  name\n  {text}\n"
    assert err == f"drivesim: {text}\n"


def test_a_long_complaint_stays_one_line_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_error("word " * 100 + "end")
    assert capsys.readouterr().err == f"drivesim: {'word ' * 100}end\n"


def test_a_terminal_frames_a_complaint(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(console.err, "_force_terminal", True)
    console.print_error("x[1]: is missing")
    shown = capsys.readouterr().err
    assert "╭─ drivesim ─" in shown
    assert "x[1]: is missing" in shown
