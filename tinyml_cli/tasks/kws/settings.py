"""The settings of the application `kws` in model_settings.h."""

from __future__ import annotations

from tinyml_cli.c_text import wrapped
from tinyml_cli.engines.settings_parts import check_labels, int8_scale, label_tables, only_input_and_output
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import feature_multiplier
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import on_this_run
from tinyml_cli.run import MODEL_STREAM, board_model
from tinyml_cli.tflite.graph import Graph, Tensor
from tinyml_cli.wording import counted


def parts(manifest: Manifest, graph: Graph) -> list[str]:
    """Labels, features, and how scores are smoothed.

    Raises:
        TinymlError: manifest and model do not fit each other.
    """
    source, target = only_input_and_output(graph)
    check_labels(manifest, target)
    int8_scale(target)
    return [label_tables(manifest), _thresholds(manifest), _features(manifest, source), _recognizer(manifest)]


def _thresholds(manifest: Manifest) -> str:
    threshold = round(manifest.recognizer.threshold * 1000)
    thresholds = "\n".join(wrapped(str(threshold) for _ in manifest.labels))
    return f"""\
/* The averaged score, in thousandths, from which on a label counts as heard. */
static const uint16_t DETECTION_THRESHOLD_PERMILLE[LABEL_COUNT] = {{
{thresholds}
}};"""


def _features(manifest: Manifest, source: Tensor) -> str:
    features = manifest.features
    assert features is not None
    frames = features.frames(features.sample_rate_hz * manifest.clip_ms // 1000)
    input_frames = _input_frames(manifest, features, source, frames)
    scale, zero_point = int8_scale(source)
    multiplier, shift = feature_multiplier(scale)
    return f"""\
/* Audio in. The model judges FEATURE_FRAMES frames; its input [INPUT_FRAMES][FEATURE_CHANNELS] are all of
 * them, or the new ones where it remembers the others. A front end's value f becomes
 * ((f * FEATURE_MULTIPLIER + (1 << (FEATURE_SHIFT - 1))) >> FEATURE_SHIFT) + FEATURE_ZERO_POINT, as int8. */
#define SAMPLE_RATE_HZ {features.sample_rate_hz}
#define FEATURE_FRAMES {frames}
#define INPUT_FRAMES {input_frames}
#define FEATURE_CHANNELS {features.channels}
#define FEATURE_MULTIPLIER {multiplier}
#define FEATURE_SHIFT {shift}
#define FEATURE_ZERO_POINT ({zero_point})"""


def _recognizer(manifest: Manifest) -> str:
    recognizer = manifest.recognizer
    masks = "\n".join(wrapped(f"0x{mask:x}u" for mask in recognizer.longer_word_masks(manifest.labels)))
    return f"""\
/* Smoothing of scores over time. */
#define INFERENCE_STRIDE_FRAMES {recognizer.inference_stride_frames}
#define AVERAGE_WINDOW_MS {recognizer.average_window_ms}
#define SUPPRESSION_MS {recognizer.suppression_ms}
#define MINIMUM_COUNT {recognizer.minimum_count}

/* Bit n of a word is set where label n begins with it: it waits so long for that one. */
#define PREFIX_WAIT_MS {recognizer.prefix_wait_ms}
static const uint32_t LONGER_WORDS[LABEL_COUNT] = {{
{masks}
}};"""


def _input_frames(manifest: Manifest, features: AudioFrontendSettings, source: Tensor, frames: int) -> int:
    """Frames in the model's input: the window's, or those from one inference to the next of a stream."""
    is_stream = board_model(manifest) == MODEL_STREAM
    expected = manifest.recognizer.inference_stride_frames if is_stream else frames
    if expected * features.channels != source.elements:
        raise TinymlError(
            f"The model has {counted(source.elements, 'input')}, but the manifest's features are "
            f"{expected} x {features.channels}",
            board_model(manifest),
            f"Convert the run's own model again: {on_this_run('convert')}",
        )
    return expected
