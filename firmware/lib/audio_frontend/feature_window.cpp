#include "feature_window.h"

#include <string.h>

#include "audio_frontend.h"

void FeatureWindow::begin(const FeatureWindowConfig& config, int8_t* memory) {
  config_ = config;
  memory_ = memory;
  reset();
}

void FeatureWindow::reset() {
  frames_ = 0;
  // A stream's inputs end where windows do, so its first one may start before the sound, with zeros.
  oldest_ = (config_.input_frames - config_.frames % config_.input_frames) % config_.input_frames;
  memset(memory_, 0, bytes());
}

bool FeatureWindow::add(const uint16_t* features) {
  audio_frontend_quantize(features, config_.channels, config_.multiplier, config_.shift, config_.zero_point,
                          memory_ + oldest_ * config_.channels);
  oldest_ = (oldest_ + 1) % config_.input_frames;
  ++frames_;
  const bool is_stream = config_.input_frames != config_.frames;
  const bool is_on_stride = frames_ % config_.stride_frames == config_.frames % config_.stride_frames;
  return is_on_stride && (is_stream || is_full());
}

void FeatureWindow::copy(int8_t* input) const {
  const size_t newer = oldest_ * config_.channels;
  memcpy(input, memory_ + newer, bytes() - newer);
  memcpy(input + bytes() - newer, memory_, newer);
}
