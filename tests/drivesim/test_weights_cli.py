"""``drivesim weights`` as a person meets it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from safetensors.torch import load_file, save_file  # noqa: E402

from models.config import TransformerConfig  # noqa: E402
from models.transformer import MultiViewTransformer  # noqa: E402

TINY = TransformerConfig(
    hidden_size=24,
    num_heads=2,
    num_blocks=4,
    control_interval=2,
    view_mixing="neighbours",
    view_identity="adaln",
    adaln_rank=4,
    text_channels=10,
    text_width=6,
)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A .pt file as published, in the working folder."""
    monkeypatch.chdir(tmp_path)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        state = MultiViewTransformer(TINY).bfloat16().state_dict()
    torch.save({f"net.{name}": t for name, t in state.items()} | {"net.accum_iteration": torch.tensor(1)}, "w.pt")
    return Path("w.pt")


def test_the_commands_have_help(drivesim_command: Any) -> None:
    done = drivesim_command("weights", "-h")
    assert (done.code, done.err) == (0, "")
    assert "...\n" not in done.out.replace("[ARGS]...\n", ""), "a summary is cut off"
    for command in ("convert", "inspect"):
        assert f"\n  {command} " in done.out
        told = drivesim_command("weights", command, "-h")
        assert told.code == 0
        assert told.out.startswith(f"Usage: drivesim weights {command} ")


def test_a_published_file_becomes_a_folder(drivesim_command: Any, published: Path) -> None:
    done = drivesim_command("weights", "convert", published, "W/transformer")
    assert (done.code, done.err) == (0, "")
    assert done.out == "W/transformer: 187 tensors of 86,610 parameters, bfloat16\n"
    original = torch.load(published)
    converted = load_file("W/transformer/model.safetensors")
    assert set(original) == {f"net.{name}" for name in converted} | {"net.accum_iteration"}
    assert all(torch.equal(tensor, original[f"net.{name}"]) for name, tensor in converted.items())
    assert json.loads(Path("W/transformer/config.json").read_text())["config"]["view_mixing"] == "neighbours"


def test_weights_are_cast_as_asked(drivesim_command: Any, published: Path) -> None:
    done = drivesim_command("weights", "convert", published, "out", "--dtype", "fp32")
    assert done.out == "out: 187 tensors of 86,610 parameters, float32\n"
    assert {tensor.dtype for tensor in load_file("out/model.safetensors").values()} == {torch.float32}


def test_a_network_is_shown(drivesim_command: Any, published: Path) -> None:
    done = drivesim_command("weights", "inspect", published)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    digest = lines.pop(6)
    assert digest.startswith("  digest: ") and len(digest) == len("  digest: ") + 64
    assert lines[:9] == [
        "w.pt: a multi-view network, mixing neighbours, views by adaln",
        "  format: torch file",
        "  tensors: 187",
        "  parameters: 86,610",
        "  dtypes: bfloat16 (187)",
        "  ignored: 1 name, such as net.accum_iteration",
        "Configuration",
        "  field                  value",
        "  hidden_size            24",
    ]
    assert len(lines) == 8 + len(TINY.to_dict())


def test_a_network_is_shown_to_programs(drivesim_command: Any, published: Path) -> None:
    told = json.loads(drivesim_command("weights", "inspect", published, "--json").out)
    assert (told["path"], told["form"], told["holds"]) == ("w.pt", "torch file", "a multi-view network")
    assert (told["parameters"], told["ignored"], told["fault"]) == (86610, ["net.accum_iteration"], None)
    assert told["config"]["neighbour_map"] == "cosmos-7"
    drivesim_command("weights", "convert", published, "out")
    assert json.loads(drivesim_command("weights", "inspect", "out", "--json").out)["digest"] == told["digest"]


def test_a_vae_is_recognised(drivesim_command: Any, shared: Path, published: Path) -> None:
    file = shared / "golden" / "model" / "vae_tiny.weights.safetensors"
    lines = drivesim_command("weights", "inspect", file).out.splitlines()
    assert lines[0] == f"{file}: a Wan VAE as published (tokenizer.pth)"
    assert lines[1] == "  format: safetensors file"
    assert lines[-1].startswith("  digest: ")


def test_what_keeps_a_network_from_loading_is_shown(drivesim_command: Any, published: Path) -> None:
    content = torch.load(published)
    save_file(content | {"net.extra": torch.ones(1)}, "w.safetensors")
    done = drivesim_command("weights", "inspect", "w.safetensors")
    assert done.code == 0
    assert (
        "  cannot be loaded: w.safetensors: does not fit its network, it holds tensors it should not: extra\n"
        in done.out
    )


class _Custom:
    """A class that a careless training script leaves in its weights file."""


def test_code_in_a_file_is_run_only_when_allowed(drivesim_command: Any, published: Path) -> None:
    torch.save(torch.load(published) | {"config": _Custom()}, "w.pt")
    name = f"{_Custom.__module__}.{_Custom.__qualname__}"
    for command in (("inspect", "w.pt"), ("convert", "w.pt", "out")):
        done = drivesim_command("weights", *command)
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            f"drivesim: w.pt: holds code ({name}), which would run when it is read and could do anything. "
            "Only if you trust where it comes from, convert it with: drivesim weights convert --allow-pickle\n"
        )
        assert drivesim_command("weights", *command, "--allow-pickle").code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("inspect", "gone.pt"), "gone.pt: no such file or folder"),
        (("convert", "gone.pt", "out"), "gone.pt: no such file or folder"),
        (("convert", "gone.pt", "full"), "full: exists and is not empty. Remove it or name another folder"),
        (("convert", "gone.pt", "w.pt"), "w.pt: cannot be written, w.pt is a file. Name a new folder"),
        (
            ("inspect", "cut.pt"),
            "cut.pt: cannot be read. It is damaged, cut short, or not what its name says: fetch it again",
        ),
        (
            ("convert", "vae.safetensors", "out"),
            "vae.safetensors: holds a Wan VAE as published (tokenizer.pth). Expected a multi-view network: "
            "base blocks, control blocks and a view identity (view_embeddings, adaln_view_embedder or ray channels)",
        ),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: tuple[str, ...], sentence: str, drivesim_command: Any, published: Path
) -> None:
    Path("full").mkdir()
    Path("full/file").touch()
    Path("cut.pt").write_bytes(published.read_bytes()[:3000])
    save_file({"encoder.downsamples.0.residual.0.gamma": torch.ones(1)}, "vae.safetensors")
    done = drivesim_command("weights", *arguments)
    assert (done.code, done.out, done.err) == (2, "", f"drivesim: {sentence}\n")
    assert not Path("out").exists()


def test_a_missing_torch_is_explained(drivesim_command: Any, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    done = drivesim_command("weights", "inspect", published)
    assert (done.code, done.err) == (
        2,
        "drivesim: weights need torch. Install it with: pip install 'drivesim[model]'\n",
    )
