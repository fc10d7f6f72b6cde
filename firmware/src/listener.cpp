#include "tinyml_build.h"

#if defined(TINYML_APP_KWS) || defined(TINYML_APP_MULTI_TENANT)

#include <string.h>

#include "audio_frontend.h"
#include "listener.h"

bool Listener::begin(const ListenerConfig& config, int8_t* window) {
  config_ = config;
  window_ = window;
  reset();
  return recognizer_.begin(config.recognizer);
}

void Listener::reset() {
  recognizer_.reset();
  oldest_ = 0;
  frames_ = 0;
}

bool Listener::add(const uint16_t* features) {
  audio_frontend_quantize(features, config_.channels, config_.multiplier, config_.shift, config_.zero_point,
                          window_ + oldest_ * config_.channels);
  oldest_ = (oldest_ + 1) % config_.frames;
  ++frames_;
  return frames_ >= config_.frames && (frames_ - config_.frames) % config_.stride_frames == 0;
}

void Listener::copy_window(int8_t* input) const {
  const size_t newer = oldest_ * config_.channels;
  memcpy(input, window_ + newer, window_bytes() - newer);
  memcpy(input + window_bytes() - newer, window_, newer);
}

bool Listener::hear(uint32_t time_ms, const int8_t* scores, Detection* detection) {
  return recognizer_.push(time_ms, scores, detection);
}

#endif  // TINYML_APP_KWS || TINYML_APP_MULTI_TENANT
