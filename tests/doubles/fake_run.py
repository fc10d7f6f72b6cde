"""A run whose export is a few lines of C written by hand: builds in seconds, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.features.tables import render_header
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run

NETWORK_H = """\
#pragma once
#include <stdint.h>
#define NETWORK_ARENA_ALIGNMENT 16
#define NETWORK_ARENA_BYTES {arena_bytes}
#define NETWORK_INPUT_COUNT 1
#define NETWORK_OUTPUT_COUNT 1
#define NETWORK_INPUTS_BYTES {{1960}}
#define NETWORK_OUTPUTS_BYTES {{4}}
#ifdef __cplusplus
extern "C" {{
#endif
void* network_input_at(uint8_t* arena, int index);
int network_invoke(uint8_t* arena);
const void* network_output_at(const uint8_t* arena, int index);
void network_reset(uint8_t* arena);
#ifdef __cplusplus
}}
#endif
"""

# Sure of label 2 when the oldest features are loud, of label 0 when they are not.
NETWORK_C = """\
#include "network.h"
const int8_t big_weights[{weight_bytes}] = {{1, 2, 3}};
void* network_input_at(uint8_t* arena, int index) {{ return arena + index; }}
const void* network_output_at(const uint8_t* arena, int index) {{ return arena + 1968 + index; }}
void network_reset(uint8_t* arena) {{ (void)arena; }}
int network_invoke(uint8_t* arena) {{
  int8_t* scores = (int8_t*)arena + 1968;
  const int loud = (int8_t)arena[0] > (int8_t)arena[1959];
  for (int i = 0; i < 4; ++i) scores[i] = -128;
  scores[loud ? 2 : 0] = 127;
  return big_weights[(unsigned)arena[0] % sizeof(big_weights)] == 99;
}}
"""

MODEL_SETTINGS_H = """\
#pragma once
#include <stdint.h>
#define TINYML_VERSION "0.0.0"
#define TINYML_TASK "kws"
#define TINYML_MODEL_SHA256 "0123456789ab"
#define LABEL_COUNT 4
static const char* const kLabels[LABEL_COUNT] = {"silence", "unknown", "a \\"word\\"", "no"};
static const uint8_t kLabelColors[LABEL_COUNT][3] = {{0, 0, 0}, {0, 0, 0}, {0, 255, 0}, {255, 0, 0}};
static const uint16_t DETECTION_THRESHOLD_PERMILLE[LABEL_COUNT] = {700, 700, 700, 700};
#define INPUT_TYPE "int8"
#define OUTPUT_TYPE "int8"
#define OUTPUT_SCALE 0.00390625f
#define OUTPUT_ZERO_POINT (-128)
#define SAMPLE_RATE_HZ 16000
#define FEATURE_FRAMES 49
#define INPUT_FRAMES 49
#define FEATURE_CHANNELS 40
#define FEATURE_MULTIPLIER 25600
#define FEATURE_SHIFT 16
#define FEATURE_ZERO_POINT (-128)
#define INFERENCE_STRIDE_FRAMES 5
#define AVERAGE_WINDOW_MS 500
#define SUPPRESSION_MS 1000
#define MINIMUM_COUNT 3
#define PREFIX_WAIT_MS 500
static const uint32_t LONGER_WORDS[LABEL_COUNT] = {0, 0, 0, 0};
"""


def make(path: Path, arena_bytes: int = 2048, weight_bytes: int = 64, source: str = NETWORK_C) -> Run:
    """A run with an export for the engine aot."""
    run = Run.create(path)
    manifest = Manifest(
        task="kws", seed=1, labels=["silence", "unknown", "yes", "no"], features=AudioFrontendSettings()
    )
    files = {
        "network.h": NETWORK_H.format(arena_bytes=arena_bytes),
        "network.c": source.format(weight_bytes=weight_bytes),
        "model_settings.h": MODEL_SETTINGS_H,
        "audio_frontend_tables.h": render_header(AudioFrontendSettings()),
    }
    for name, text in files.items():
        file = run.file(f"export/aot/{name}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        run.record(manifest, f"export/aot/{name}", "tinyml export-c-array")
    run.save(manifest)
    return run
