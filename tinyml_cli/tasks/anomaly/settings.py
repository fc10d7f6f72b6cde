"""The settings of the application `anomaly` in model_settings.h."""

from __future__ import annotations

from collections.abc import Iterable

from tinyml_cli.c_text import comment, float_literal, integer_literal, wrapped
from tinyml_cli.engines.settings_parts import int8_scale, only_input_and_output
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.anomaly_settings import AnomalyInput, Mixture, SignalInput
from tinyml_cli.features.signal import cosine_table, multipliers
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import on_this_run
from tinyml_cli.tflite.graph import Graph, Tensor
from tinyml_cli.wording import counted


def parts(manifest: Manifest, graph: Graph) -> list[str]:
    """Windows, what is normal for each feature, the score, threshold and alarm.

    Raises:
        TinymlError: manifest and model do not fit each other, or there is no threshold yet.
    """
    of = manifest.anomaly
    if of is None or of.threshold is None:
        raise TinymlError("The run has no threshold yet", "manifest.json", f"Run `{on_this_run('convert')}`.")
    source, target = only_input_and_output(graph)
    _check_size(of, source, target)
    return [
        _windows(manifest, of),
        _standard(manifest, of, int8_scale(source)[0]),
        _score(of, int8_scale(source)[0], int8_scale(target)[0]),
        _alarm(of),
    ]


def _windows(manifest: Manifest, of: AnomalyInput) -> str:
    if of.signal is not None:
        return _signal(of, of.signal)
    assert of.sound is not None and manifest.features is not None
    return f"""\
/* Sound in, and windows of log-mel frames [FEATURE_FRAMES][FEATURE_CHANNELS]. */
#define ANOMALY_SOUND 1
#define SAMPLE_RATE_HZ {manifest.features.sample_rate_hz}
#define SAMPLE_RATE_MILLIHZ {manifest.features.sample_rate_hz * 1000}u
#define FEATURE_FRAMES {of.sound.frames}
#define FEATURE_CHANNELS {manifest.features.channels}
#define WINDOW_STRIDE_FRAMES {of.sound.stride_frames}
#define WINDOW_STRIDE_SAMPLES {of.sound.stride_frames * manifest.features.stride_samples}"""


def _signal(of: AnomalyInput, signal: SignalInput) -> str:
    sensor = "ANOMALY_IMU" if of.sensor == "imu" else "ANOMALY_SERIES"
    text = f"""\
/* Samples in, and windows [SIGNAL_WINDOW_SAMPLES][SIGNAL_CHANNELS]; see signal_features.h. */
#define {sensor} 1
#define SAMPLE_RATE_MILLIHZ {round(signal.sample_rate_hz * 1000)}u
#define SIGNAL_WINDOW_SAMPLES {signal.window_samples}
#define WINDOW_STRIDE_SAMPLES {signal.stride_samples}
#define SIGNAL_CHANNELS {len(signal.channels)}
#define SIGNAL_BANDS {signal.bands}
#define SIGNAL_FLOOR_LSB {signal.floor_lsb}"""
    if of.sensor == "series":
        text += (
            f"\n#define SAMPLE_SCALE {float_literal(signal.sample_scale)}  /* values per unit of the data */"
        )
    if not signal.bands:
        return text
    table = cosine_table(signal.window_samples).tolist()
    return f"{text}\n{_table('int16_t', 'kSignalCosine[SIGNAL_WINDOW_SAMPLES]', table)}"


def _standard(manifest: Manifest, of: AnomalyInput, scale: float) -> str:
    """Sound has one pair of figures for each band of a frame: all frames share them."""
    factors, shift = multipliers(of.deviations, scale)
    count = len(of.offsets) if manifest.features is None else manifest.features.channels
    return f"""\
/* A feature f becomes clamp((((f - kOffsets) * kMultipliers) + half >> FEATURE_SHIFT) + INPUT_ZERO_POINT). */
#define STANDARD_COUNT {count}
#define FEATURE_SHIFT {shift}
{_table("int32_t", "kOffsets[STANDARD_COUNT]", of.offsets[:count])}
{_table("int32_t", "kMultipliers[STANDARD_COUNT]", factors[:count].tolist())}"""


def _score(of: AnomalyInput, input_scale: float, output_scale: float) -> str:
    if of.mixture is None:
        return f"""\
/* The score: mean squared difference of input and output; the output's scale over the input's, in Q16. */
#define RECONSTRUCTION_RATIO_Q16 {round(output_scale / input_scale * 65536)}u"""
    return _mixture(of.mixture)


def _mixture(of: Mixture) -> str:
    clusters, dimensions = len(of.centers), len(of.centers[0])
    shape = "[MIXTURE_CLUSTERS][MIXTURE_DIMENSIONS]"
    return f"""\
/* The score: distance from the nearest cluster; see anomaly_score.h. */
#define MIXTURE_CLUSTERS {clusters}
#define MIXTURE_DIMENSIONS {dimensions}
#define MIXTURE_SHIFT {of.shift}
{_rows("int16_t", f"kMixtureCenters{shape}", of.centers)}
{_rows("uint16_t", f"kMixtureWeights{shape}", of.weights)}
{_table("uint32_t", "kMixtureConstants[MIXTURE_CLUSTERS]", of.constants, "u")}"""


def _alarm(of: AnomalyInput) -> str:
    threshold, alarm = of.threshold, of.alarm
    assert threshold is not None
    target = comment(threshold.target)
    return f"""\
/* The threshold of the score ({target}), the mean score of normal running, and the alarm. */
#define TRAINED_THRESHOLD {threshold.score}u
#define TRAINED_LEVEL {threshold.level}u
#define FALSE_SHARE_PPM {threshold.share_ppm}u
#define ALARM_RAISE_WINDOWS {alarm.raise_windows}
#define ALARM_CLEAR_WINDOWS {alarm.clear_windows}
#define ALARM_HOLD_WINDOWS {alarm.hold_windows}
#define ALARM_RELEASE_PERMILLE {alarm.release_permille}
#define LEVEL_SHIFT {alarm.level_shift}"""


def _table(kind: str, name: str, values: Iterable[int], suffix: str = "") -> str:
    rows = "\n".join(wrapped(f"{integer_literal(value)}{suffix}" for value in values))
    return f"static const {kind} {name} = {{\n{rows}\n}};"


def _rows(kind: str, name: str, rows: Iterable[list[int]]) -> str:
    lines = []
    for row in rows:
        inside = "\n".join(wrapped((str(value) for value in row), indent="     "))
        lines.append(f"    {{{inside.strip()}}},")
    body = "\n".join(lines)
    return f"static const {kind} {name} = {{\n{body}\n}};"


def _check_size(of: AnomalyInput, source: Tensor, target: Tensor) -> None:
    values = len(of.offsets)
    wanted = values if of.mixture is None else len(of.mixture.centers[0])
    if source.elements != values or target.elements != wanted:
        raise TinymlError(
            f"The model has {counted(source.elements, 'input')} and "
            f"{counted(target.elements, 'output')}, but the manifest says {values} and {wanted}",
            "model_int8.tflite",
            f"Convert the run's own model again: {on_this_run('convert')}",
        )
