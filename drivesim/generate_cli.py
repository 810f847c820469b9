"""The command that generates clips: of a scene, or from the reference's JSON specification."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from . import generate_options as take
from .options import (
    CamerasOption,
    ClipOption,
    CorrectedOption,
    FramesOption,
    KindOption,
    Out,
    RigOption,
    SetOption,
    StartOption,
    parse_frame_range,
    parse_size,
    split_names,
)

if TYPE_CHECKING:
    from models.request import Generator
    from models.sampling import Sampling
    from scenegraph import Scene

    from .clip_job import ClipJob
    from .cosmos_spec import CosmosSample
    from .generating import GeneratedClip, GenerationSettings
    from .prompts import Prompts


def generate(
    context: typer.Context,
    source: take.Source,
    out: Out = Path("out"),
    weights: take.WeightsOption = None,
    echo: take.EchoOption = False,
    prompt: take.PromptOption = None,
    prompts: take.PromptsOption = None,
    negative_prompt: take.NegativePromptOption = None,
    caption_mode: take.CaptionModeOption = take.CaptionChoice.OFFICIAL,
    kind: KindOption = None,
    clip: ClipOption = None,
    rig: RigOption = None,
    cameras: CamerasOption = None,
    corrected: CorrectedOption = False,
    changes: SetOption = None,
    fps: take.ModelFpsOption = None,
    frames: FramesOption = None,
    start: StartOption = 0.0,
    seconds: take.LengthOption = None,
    size: take.ModelSizeOption = None,
    fit: take.FitOption = take.FitChoice.STRETCH,
    known: take.KnownOption = 0,
    controls: take.ControlsOption = False,
    overwrite: take.ReplaceOption = False,
    seed: take.SeedOption = 0,
    steps: take.StepsOption = None,
    guidance: take.GuidanceOption = None,
    control_weight: take.ControlWeightOption = 1.0,
    student: take.StudentOption = False,
    overlap: take.OverlapOption = 5,
    chunk: take.ChunkOption = None,
    hand_over: take.HandOverOption = take.HandOverChoice.PIXELS,
    keep_colours: take.KeepColoursOption = False,
    device: take.DeviceOption = "auto",
    dtype: take.DtypeOption = take.DtypeChoice.AUTO,
    compile_network: take.CompileOption = False,
    text_cache: take.TextCacheOption = None,
    allow_pickle: take.AllowPickleOption = False,
    guide_span: take.GuideSpanOption = None,
    reuse: take.ReuseOption = None,
    attention: take.AttentionOption = take.AttentionChoice.AUTO,
    tiled_codec: take.TiledCodecOption = False,
) -> None:
    """Generate one video per camera: FOLDER/CLIP/CAMERA.mp4."""
    from .generating import GenerationSettings
    from .sources import is_scenario_file

    given = {name for name in context.params if _is_given(context, name)}
    is_specification = kind is None and _is_specification(source)
    says_itself = is_specification or is_scenario_file(source)
    _require_purpose(weights, echo, says_itself or prompt is not None or prompts is not None)
    if is_specification:
        _refuse(given & _FOR_SCENES, source)
    sampling = _sampling(weights, steps, guidance, control_weight, student, guide_span, reuse)
    settings = GenerationSettings(
        _prompts(prompt, prompts, negative_prompt, caption_mode.value),
        seed,
        sampling,
        overlap,
        chunk,
        hand_over.value,
        keep_colours,
        controls,
    )
    machine = {
        "device": device,
        "dtype": dtype.value,
        "attention": attention.value,
        "compile_blocks": compile_network,
        "text_cache": text_cache,
        "tiled_codec": tiled_codec,
        "allow_pickle": allow_pickle,
    }
    if is_specification:
        _generate_samples(source, weights, settings, caption_mode.value, machine, out, overwrite)
        return
    from .clip_job import require_known, require_numbers, require_size, scene_job
    from .sources import load_scene_for_filming, recorded_pictures

    # Weights take minutes to load: what can be refused without them is.
    wanted, size_px = parse_frame_range(fps, frames, start, seconds), parse_size(size)
    require_numbers(wanted)
    require_known(known)
    if size_px is not None:
        require_size(*size_px)
    if known and rig is not None:
        raise typer.BadParameter(
            "recorded pictures are of the log's own cameras: leave out --rig", param_hint="--known"
        )
    names = None if cameras is None else split_names(cameras)
    kind_name = None if kind is None else kind.value
    scene = load_scene_for_filming(
        source, kind=kind_name, clip=clip, rig=rig, cameras=names, corrected=corrected, changes=changes or ()
    )
    if is_scenario_file(source) and prompt is None and prompts is None:
        settings = _with_scenario_prompts(settings, source, scene, negative_prompt, changes)
    settings.prompts.require_cameras(scene.rig.names)
    pictures = recorded_pictures(source, scene, kind=kind_name, clip=clip, option="--known") if known else None
    generator = _generator(weights, len(scene.rig), sampling.guidance > 0, machine)
    job = scene_job(scene, generator.regime, frames=wanted, size=size_px, fit=fit.value, known=known, pictures=pictures)
    _make(job, generator, settings, out, overwrite)


def _require_purpose(weights: Path | None, echo: bool, has_prompt: bool) -> None:
    """Refuse a run without weights or caption that is no dry run."""
    if weights is not None and echo:
        raise typer.BadParameter("is a dry run without weights: leave out --weights", param_hint="--echo")
    if weights is None and not echo:
        raise typer.BadParameter("name a folder of weights, or --echo for a dry run without", param_hint="--weights")
    if weights is not None and not has_prompt:
        raise typer.BadParameter("say what the clip shows, or give --prompts a file that does", param_hint="--prompt")


def _with_scenario_prompts(
    settings: GenerationSettings, source: Path, scene: Scene, negative: str | None, changes: list[str] | None
) -> GenerationSettings:
    """The settings with what the scenario's conditions and prompts say."""
    from dataclasses import replace

    from .scenario.loading import load_scenario
    from .scenario.prompts import load_templates, prompts_of

    scenario = load_scenario(source, changes or ())
    own = scenario.file.prompts
    templates = load_templates(scenario.folder_of("prompts.templates") / own.templates if own.templates else None)
    said = prompts_of(scenario.file.conditions, own, scene.rig.names, templates, settings.prompts.mode)
    return replace(settings, prompts=said if negative is None else replace(said, negative=negative))


def _is_specification(source: Path) -> bool:
    """Whether a file is the reference's JSON specification; ScenarioNet's logs are JSON too."""
    from scenegraph.formats.scenarionet import holds_scenario

    if source.suffix not in (".json", ".jsonl"):
        return False
    return not (source.is_file() and holds_scenario(source))


_FOR_SCENES = {
    "changes", "prompt", "prompts", "negative_prompt", "clip", "rig", "cameras", "corrected", "fps", "frames", "start",
    "seconds", "size", "fit", "known", "seed", "steps", "guidance", "control_weight", "overlap", "chunk",
}  # fmt: skip
"""Options that a specification has fields of its own for."""


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _refuse(names: set[str], source: Path) -> None:
    for name in sorted(names):
        raise typer.BadParameter(f"is for scenes; {source} says it itself", param_hint=f"--{name.replace('_', '-')}")


def _sampling(
    weights: Path | None,
    steps: int | None,
    guidance: float | None,
    control_weight: float,
    student: bool,
    guide_span: str | None,
    reuse: float | None,
) -> Sampling:
    from models.sampling import STUDENT_STEPS, Sampling, usual_sampling

    usual = Sampling() if weights is None else usual_sampling(weights)
    if student:
        usual = Sampling(STUDENT_STEPS, 0.0, sampler="student")
    return Sampling(
        usual.steps if steps is None else steps,
        usual.guidance if guidance is None else guidance,
        usual.shift,
        control_weight,
        sampler=usual.sampler,
        guidance_span=take.parse_span(guide_span),
        cache_threshold=reuse,
    )


def _prompts(caption: str | None, file: Path | None, negative: str | None, mode: Any) -> Prompts:
    from dataclasses import replace

    from .prompts import Prompts, load_prompts

    if file is None:
        return Prompts.of(caption or "", negative, mode)
    if caption is not None:
        raise typer.BadParameter("give --prompt or --prompts, not both", param_hint="--prompts")
    loaded = load_prompts(file, mode)
    return loaded if negative is None else replace(loaded, negative=negative)


def _generator(
    weights: Path | None, views: int, guides: bool, machine: dict[str, Any], known_views: int | None = None
) -> Generator:
    """known_views: of what a dry run stands in for, see Regime."""
    from . import console

    if weights is None:
        from models.echo import EchoGenerator
        from models.request import Regime

        return EchoGenerator(Regime(known_views=known_views))
    from .weights import load_generator

    with console.working(f"Loading {weights}"):
        return load_generator(weights, views=views, guides=guides, **machine)


def _make(job: ClipJob, generator: Generator, settings: GenerationSettings, out: Path, overwrite: bool) -> None:
    from . import console
    from .generating import generate_clip

    is_first = getattr(getattr(generator, "processes", None), "is_first", True)
    if is_first:
        for note in job.notes:
            console.err.print(f"note: {note}", soft_wrap=True)
    result = generate_clip(job, generator, out, settings, overwrite=overwrite)
    if is_first:
        console.out.print(_result(result))


def _result(clip: GeneratedClip) -> str:
    videos = f"{len(clip.outputs)} video{'s' if len(clip.outputs) > 1 else ''}"
    what = f"{clip.folder}: {videos} of {clip.frames} frame{'s' if clip.frames > 1 else ''}"
    if clip.chunks > 1:
        what += f" in {clip.chunks} chunks"
    if not clip.kept:
        return what
    return f"{what}, all there already" if clip.kept == clip.chunks else f"{what}, {clip.kept} of them there already"


def _generate_samples(
    source: Path,
    weights: Path | None,
    settings: GenerationSettings,
    mode: Any,
    machine: dict[str, Any],
    out: Path,
    overwrite: bool,
) -> None:
    """Every sample of a specification, one after the other."""
    from models.config import COSMOS_VIEWS

    from .clip_job import sample_job
    from .cosmos_spec import read_cosmos_spec

    samples = read_cosmos_spec(source)
    all_settings = [_settings_of(sample, settings, mode) for sample in samples]
    views = max(len(sample.views) for sample in samples)
    guides = any(each.sampling.guidance for each in all_settings)
    generator = _generator(weights, views, guides, machine, len(COSMOS_VIEWS))
    for sample, its_settings in zip(samples, all_settings, strict=True):
        _make(sample_job(sample, generator.regime), generator, its_settings, out, overwrite)


def _settings_of(sample: CosmosSample, settings: GenerationSettings, mode: Any) -> GenerationSettings:
    """The settings of the command line with what the sample says."""
    from dataclasses import replace

    from models.errors import ModelError

    from .errors import DatasetError
    from .prompts import Prompts

    try:
        sampling = replace(
            settings.sampling,
            steps=sample.num_steps,
            guidance=float(sample.guidance),
            control_weight=sample.control_weight,
        )
    except ModelError as error:
        raise DatasetError(f"{sample.name}: {error}") from error
    return replace(
        settings,
        prompts=Prompts.of(sample.prompt, sample.negative_prompt, mode),
        seed=sample.seed,
        sampling=sampling,
        overlap=sample.chunk_overlap if sample.enable_autoregressive else 0,
    )
