// Microphone -> features -> model -> words, as firmware/src/kws.cpp does it.
#include "audio_frontend.h"
#include "audio_frontend_tables.h"
#include "feature_window.h"
#include "library_model.h"
#include "recognizer.h"
#include "score_scale.h"

namespace {

constexpr FeatureWindowConfig kWindow = {
    FEATURE_FRAMES,     INPUT_FRAMES,  FEATURE_CHANNELS,   INFERENCE_STRIDE_FRAMES,
    FEATURE_MULTIPLIER, FEATURE_SHIFT, FEATURE_ZERO_POINT,
};

constexpr RecognizerConfig kRecognizer = {
    LABEL_COUNT,   kFirstWord,        DETECTION_THRESHOLD_PERMILLE,        AVERAGE_WINDOW_MS, SUPPRESSION_MS,
    MINIMUM_COUNT, OUTPUT_ZERO_POINT, permille_per_step_q16(OUTPUT_SCALE), LONGER_WORDS,      PREFIX_WAIT_MS,
};

static_assert(takes(INPUT_FRAMES* FEATURE_CHANNELS), "the model takes another number of features");

AudioFrontend frontend;
FeatureWindow window;
Recognizer recognizer;
int8_t window_memory[INPUT_FRAMES * FEATURE_CHANNELS];
uint16_t features[FEATURE_CHANNELS];
uint64_t samples_heard = 0;

int judge() {
  window.copy(tinyml_input(nullptr));
  if (!tinyml_invoke() || !window.is_full()) {
    return TINYML_NOTHING;
  }
  const uint32_t now_ms = static_cast<uint32_t>(samples_heard * 1000u / SAMPLE_RATE_HZ);
  Detection detection;
  if (!recognizer.push(now_ms, tinyml_output(nullptr), &detection)) {
    return TINYML_NOTHING;
  }
  set_score(detection.score_permille);
  return static_cast<int>(detection.label);
}

}  // namespace

bool tinyml_begin() {
  restart_model();
  samples_heard = 0;
  window.begin(kWindow, window_memory);
  return audio_frontend_init(&frontend, &kAudioFrontendConfig) &&
         kAudioFrontendConfig.channels == FEATURE_CHANNELS && recognizer.begin(kRecognizer);
}

int tinyml_hear(const int16_t* samples, size_t count) {
  int heard = TINYML_NOTHING;
  while (count > 0) {
    size_t consumed = 0;
    const bool frame_ready = audio_frontend_process(&frontend, samples, count, &consumed, features);
    samples += consumed;
    count -= consumed;
    samples_heard += consumed;
    if (frame_ready && window.add(features)) {
      const int word = judge();
      heard = word != TINYML_NOTHING ? word : heard;
    }
  }
  return heard;
}

const uint16_t* tinyml_features() {
  return features;
}
