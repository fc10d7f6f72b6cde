#include "tinyml_build.h"

#if defined(TINYML_APP_MULTI_TENANT)

#include "score_scale.h"
#include "second_listener.h"

namespace {

constexpr ListenerConfig kConfig = {
    TINYML_SECOND_MODEL,
    second_kLabels,
    second_kLabelColors,
    {SECOND_FEATURE_FRAMES, SECOND_INPUT_FRAMES, SECOND_FEATURE_CHANNELS, SECOND_INFERENCE_STRIDE_FRAMES,
     SECOND_FEATURE_MULTIPLIER, SECOND_FEATURE_SHIFT, SECOND_FEATURE_ZERO_POINT},
    {SECOND_LABEL_COUNT, kFirstWord, SECOND_DETECTION_THRESHOLD_PERMILLE, SECOND_AVERAGE_WINDOW_MS,
     SECOND_SUPPRESSION_MS, SECOND_MINIMUM_COUNT, SECOND_OUTPUT_ZERO_POINT,
     permille_per_step_q16(SECOND_OUTPUT_SCALE), SECOND_LONGER_WORDS, SECOND_PREFIX_WAIT_MS},
};

static_assert(SECOND_NETWORK_INPUT_COUNT == 1 && SECOND_NETWORK_OUTPUT_COUNT == 1 &&
                  SECOND_NETWORK_INPUT_BYTES == SECOND_INPUT_FRAMES * SECOND_FEATURE_CHANNELS &&
                  SECOND_NETWORK_OUTPUT_BYTES == SECOND_LABEL_COUNT,
              "the second model's input or output does not have the size that its settings say");

}  // namespace

bool SecondListener::begin() {
  return listener_.begin(kConfig, window_);
}

void SecondListener::reset() {
  listener_.reset();
}

void SecondListener::hear(const uint16_t* features, uint32_t now_ms) {
  if (!listener_.window().add(features) || !session_.inference().ready()) {
    return;
  }
  Engine& engine = session_.inference().engine();
  listener_.window().copy(engine.second_input());
  if (session_.infer_second() && listener_.window().is_full()) {
    listener_.judge(&session_, &light_, now_ms, engine.second_output());
  }
}

#endif  // TINYML_APP_MULTI_TENANT
