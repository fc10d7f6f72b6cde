#include "tinyml_build.h"

#if defined(TINYML_APP_KWS) || defined(TINYML_APP_MULTI_TENANT) || defined(TINYML_APP_CASCADE)

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
  frames_ = 0;
  // A stream's inputs end where windows do, so its first one may start before the sound, with zeros.
  oldest_ = (config_.input_frames - config_.frames % config_.input_frames) % config_.input_frames;
  memset(window_, 0, window_bytes());
}

bool Listener::add(const uint16_t* features) {
  audio_frontend_quantize(features, config_.channels, config_.multiplier, config_.shift, config_.zero_point,
                          window_ + oldest_ * config_.channels);
  oldest_ = (oldest_ + 1) % config_.input_frames;
  ++frames_;
  const bool is_stream = config_.input_frames != config_.frames;
  const bool is_on_stride = frames_ % config_.stride_frames == config_.frames % config_.stride_frames;
  return is_on_stride && (is_stream || window_is_full());
}

void Listener::copy_window(int8_t* input) const {
  const size_t newer = oldest_ * config_.channels;
  memcpy(input, window_ + newer, window_bytes() - newer);
  memcpy(input + window_bytes() - newer, window_, newer);
}

const char* Listener::judge(Session* session, Light* light, uint32_t now_ms, const int8_t* scores) {
  if (session->traces(kTraceScores)) {
    session->event()
        .begin("scores")
        .number("t_ms", now_ms)
        .numbers("q", scores, config_.recognizer.labels)
        .optional_text("model", config_.model)
        .end();
  }
  Detection detection;
  if (!recognizer_.push(now_ms, scores, &detection)) {
    return nullptr;
  }
  report(session, detection);
  light->flash(config_.colors[detection.label], now_ms);
  return config_.labels[detection.label];
}

void Listener::report(Session* session, const Detection& detection) const {
  const char* label = config_.labels[detection.label];
  session->tell("Heard ", label, detection.score_permille, detection.time_ms, config_.model);
  session->event()
      .begin("detection")
      .text("label", label)
      .permille("score", detection.score_permille)
      .number("t_ms", detection.time_ms)
      .optional_text("model", config_.model)
      .end();
}

#endif  // TINYML_APP_KWS || TINYML_APP_MULTI_TENANT || TINYML_APP_CASCADE
