// Gathers samples into windows and turns each into the int8 input of the network.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model_settings.h"
#include "signal_features.h"
#if defined(ANOMALY_SOUND)
#include "audio_frontend.h"
#endif

class AnomalyWindow {
 public:
#if defined(ANOMALY_SOUND)
  static constexpr size_t kChannels = 1;
  static constexpr size_t kInputs = FEATURE_FRAMES * FEATURE_CHANNELS;
#else
  static constexpr size_t kChannels = SIGNAL_CHANNELS;
  static constexpr size_t kInputs = STANDARD_COUNT;
#endif

  // False if the front end cannot hold the settings.
  bool begin();

  void reset();

  // Takes interleaved values of all channels, as many as the next window lacks; returns how many. `*complete`
  // says whether input() is now a new window.
  size_t push(const int16_t* values, size_t count, bool* complete);

  const int8_t* input() const { return input_; }

  // Whole samples (of all channels) taken since the last reset.
  uint64_t samples() const { return values_ / kChannels; }

 private:
  uint64_t values_ = 0;
#if defined(ANOMALY_SOUND)
  bool add_frame(const uint16_t* features);

  AudioFrontend frontend_;
  uint32_t frames_ = 0;
  size_t next_row_ = 0;  // the oldest row of the ring, which the next frame replaces
  int8_t ring_[FEATURE_FRAMES][FEATURE_CHANNELS] = {};
#else
  static constexpr size_t kWindow = SIGNAL_WINDOW_SAMPLES * SIGNAL_CHANNELS;
  static constexpr size_t kStride = WINDOW_STRIDE_SAMPLES * SIGNAL_CHANNELS;

  size_t held_ = 0;
  size_t skip_ = 0;  // values to leave out where windows lie apart
  int16_t samples_[kWindow] = {};
  int32_t features_[kInputs] = {};
#endif
  int8_t input_[kInputs] = {};
};
