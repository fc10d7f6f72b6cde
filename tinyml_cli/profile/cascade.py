"""What a listening first stage saves by gating an image model. Estimates, never measurements."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from tinyml_cli.boards.boards import Power, load_board
from tinyml_cli.build.cascade import check_gate
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.profiles import CascadeSaving, CascadeScene, HourOfUse, ProfileFigures
from tinyml_cli.profile.energy import microjoules, milliseconds
from tinyml_cli.profile.profile import profile
from tinyml_cli.run import Run

# Counted on `sim` with the default features; each hop of 20 ms.
FRONT_END_INSTRUCTIONS = 56_678
_HOUR_S = 3600.0


@dataclass(frozen=True)
class CascadeAssumptions:
    """What the estimate supposes.

    Attributes:
        frames_per_s: that the camera gives while it is on.
        words_per_hour: how often the word is heard, rightly or not.
        camera_ma: current of the camera while it is on, at the chip's voltage; None leaves it out.
    """

    frames_per_s: float = 5.0
    words_per_hour: float = 20.0
    camera_ma: float | None = None


def compare(
    listens: Run, report: ProfileFigures, looks: Run, scene: CascadeAssumptions, target: BuildTarget
) -> CascadeSaving:
    """Profiles the second run on the first's board and estimates; see `estimate`."""
    check_gate(listens, looks)
    return estimate(listens, looks, (report, profile(looks, replace(target, port=None))), scene)


def estimate(
    listens: Run, looks: Run, reports: tuple[ProfileFigures, ProfileFigures], scene: CascadeAssumptions
) -> CascadeSaving:
    """Energy of an hour with the first stage, and of looking all the time.

    Nobody is seen in it, so that the camera stays on for the whole of the gate's time. Not counted: the
    microphone, scaling of frames, the serial link, the board's other parts.

    Args:
        listens, looks: the two runs.
        reports: their profiles on one Cortex-M board.
        scene: what is supposed.

    Raises:
        TinymlError: the second run does not look, the first does not listen, the rule's word is unknown, or
            the board's currents are not known.
    """
    manifest = listens.manifest()
    gate = check_gate(listens, looks)
    power = _power(reports[0])
    assert manifest.features is not None  # check_gate
    hop_ms = float(manifest.features.stride_ms)
    ear, eye = reports
    # The front end takes as many cycles for an instruction as the model does.
    front_end_ms = milliseconds(
        round(FRONT_END_INSTRUCTIONS * (ear.cycles or 0) / (ear.instructions or 1)), ear.clock_hz or 1
    )
    stride_ms = hop_ms * manifest.recognizer.inference_stride_frames if manifest.recognizer else hop_ms
    listening = ear.time_ms / stride_ms + front_end_ms / hop_ms
    open_share = min(1.0, scene.words_per_hour * gate.hold_ms / 1000 / _HOUR_S)
    looking = min(1.0, scene.frames_per_s * eye.time_ms / 1000)
    gated = _hour(power, min(1.0, listening), looking * open_share, open_share, scene)
    always = _hour(power, 0.0, looking, 1.0, scene)
    return CascadeSaving(
        evidence="estimated",
        assumptions=CascadeScene(
            **asdict(scene),
            gate=gate.model_dump(),
            supply_v=power.supply_v,
            active_ma=power.active_ma,
            sleep_ma=power.sleep_ma,
            currents_source=power.source,
            front_end_instructions=FRONT_END_INSTRUCTIONS,
            listening_ms=round(ear.time_ms, 3),
            listening_stride_ms=stride_ms,
            looking_ms=round(eye.time_ms, 3),
        ),
        with_first_stage=gated,
        without_first_stage=always,
        ratio=round(gated.mj_per_hour / always.mj_per_hour, 4),
        break_even_frames_per_s=_break_even(listening, eye.time_ms, open_share),
    )


def text(saving: CascadeSaving) -> str:
    """The estimate for people."""
    given, gated, always = saving.assumptions, saving.with_first_stage, saving.without_first_stage
    camera = f"{given.camera_ma:g} mA" if given.camera_ma is not None else "not counted (--camera-ma)"
    limit = saving.break_even_frames_per_s
    worth = (
        f"Without the camera's own current it saves energy from {limit:g} frames per second."
        if limit is not None
        else "Listening keeps the processor busier than looking all the time would."
    )
    return (
        f"Cascade (estimated): {gated.mj_per_hour / 1000:.1f} J per hour with the first stage, "
        f"{always.mj_per_hour / 1000:.1f} J looking all the time: {saving.ratio:.2f} of it.\n"
        f"{worth} Assumed: {given.frames_per_s:g} frames/s, the word {given.words_per_hour:g} "
        f"times per hour, {given.gate['hold_ms']} ms of looking each time; camera {camera}; "
        f"{given.active_ma:g} mA active, {given.sleep_ma:g} mA asleep at {given.supply_v:g} V."
    )


def _hour(
    power: Power, listening: float, looking: float, camera: float, scene: CascadeAssumptions
) -> HourOfUse:
    """Millijoules of an hour; the shares are of time."""
    busy = min(1.0, listening + looking)
    hour_ms = 1000 * _HOUR_S
    parts = {
        "listening": microjoules(listening * hour_ms, power) / 1000,
        "looking": microjoules((busy - listening) * hour_ms, power) / 1000,
        "asleep": power.supply_v * power.sleep_ma * (1 - busy) * _HOUR_S,
    }
    if scene.camera_ma is not None:
        parts["camera"] = power.supply_v * scene.camera_ma * camera * _HOUR_S
    return HourOfUse(
        mj_per_hour=round(sum(parts.values()), 1),
        parts={name: round(value, 1) for name, value in parts.items()},
        busy_share=round(busy, 4),
    )


def _break_even(listening: float, looking_ms: float, open_share: float) -> float | None:
    """Frames a second from which listening first takes less of the processor than looking all the time."""
    if open_share >= 1 or listening / (1 - open_share) >= 1:
        return None
    return round(listening / (1 - open_share) / (looking_ms / 1000), 2)


def _power(report: ProfileFigures) -> Power:
    power = load_board(report.chip).power if report.chip else None
    if power is None:
        raise TinymlError(
            f"The currents of the board `{report.board}` are not known",
            "--board",
            "Use --board sim or nano33ble, or add `power` to its YAML file.",
        )
    return power
