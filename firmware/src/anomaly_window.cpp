#include "tinyml_build.h"

#if defined(TINYML_APP_ANOMALY)

#include <string.h>

#include "anomaly_window.h"
#if defined(ANOMALY_SOUND)
#include "audio_frontend_tables.h"
#endif

#if defined(ANOMALY_SOUND)

bool AnomalyWindow::begin() {
  const bool fits = audio_frontend_init(&frontend_, &kAudioFrontendConfig);
  return fits && kAudioFrontendConfig.channels == FEATURE_CHANNELS;
}

void AnomalyWindow::reset() {
  audio_frontend_reset(&frontend_);
  values_ = 0;
  frames_ = 0;
  next_row_ = 0;
}

size_t AnomalyWindow::push(const int16_t* values, size_t count, bool* complete) {
  uint16_t features[FEATURE_CHANNELS];
  size_t consumed = 0;
  *complete = audio_frontend_process(&frontend_, values, count, &consumed, features) && add_frame(features);
  values_ += consumed;
  return consumed;
}

bool AnomalyWindow::add_frame(const uint16_t* features) {
  int32_t row[FEATURE_CHANNELS];
  for (size_t i = 0; i < FEATURE_CHANNELS; ++i) {
    row[i] = features[i];
  }
  signal_standardize(row, FEATURE_CHANNELS, kOffsets, kMultipliers, FEATURE_SHIFT, INPUT_ZERO_POINT,
                     ring_[next_row_]);
  next_row_ = (next_row_ + 1) % FEATURE_FRAMES;
  ++frames_;
  if (frames_ < FEATURE_FRAMES || (frames_ - FEATURE_FRAMES) % WINDOW_STRIDE_FRAMES != 0) {
    return false;
  }
  const size_t old_bytes = (FEATURE_FRAMES - next_row_) * FEATURE_CHANNELS;
  memcpy(input_, ring_[next_row_], old_bytes);
  memcpy(input_ + old_bytes, ring_[0], kInputs - old_bytes);
  return true;
}

#else

namespace {

constexpr SignalConfig kSignalConfig = {
    SIGNAL_WINDOW_SAMPLES, SIGNAL_CHANNELS, SIGNAL_BANDS, SIGNAL_FLOOR_LSB,
#if SIGNAL_BANDS > 0
    kSignalCosine,
#else
    nullptr,
#endif
};

}  // namespace

bool AnomalyWindow::begin() {
  return signal_feature_count(&kSignalConfig) == kInputs;
}

void AnomalyWindow::reset() {
  values_ = 0;
  held_ = 0;
  skip_ = 0;
}

size_t AnomalyWindow::push(const int16_t* values, size_t count, bool* complete) {
  *complete = false;
  const size_t skipped = count < skip_ ? count : skip_;
  skip_ -= skipped;
  count -= skipped;
  const size_t taken = count < kWindow - held_ ? count : kWindow - held_;
  memcpy(samples_ + held_, values + skipped, taken * sizeof(int16_t));
  held_ += taken;
  values_ += skipped + taken;
  if (held_ == kWindow) {
    signal_features(&kSignalConfig, samples_, features_);
    signal_standardize(features_, kInputs, kOffsets, kMultipliers, FEATURE_SHIFT, INPUT_ZERO_POINT, input_);
    held_ = kStride < kWindow ? kWindow - kStride : 0;
    skip_ = kStride > kWindow ? kStride - kWindow : 0;
    memmove(samples_, samples_ + kWindow - held_, held_ * sizeof(int16_t));
    *complete = true;
  }
  return skipped + taken;
}

#endif  // ANOMALY_SOUND

#endif  // TINYML_APP_ANOMALY
