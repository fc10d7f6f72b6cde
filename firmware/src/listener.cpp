#include "tinyml_build.h"

#if defined(TINYML_APP_KWS) || defined(TINYML_APP_MULTI_TENANT) || defined(TINYML_APP_CASCADE) || \
    defined(TINYML_APP_LEARNER)

#include "listener.h"

bool Listener::begin(const ListenerConfig& config, int8_t* memory) {
  config_ = config;
  window_.begin(config.window, memory);
  return recognizer_.begin(config.recognizer);
}

void Listener::reset() {
  recognizer_.reset();
  window_.reset();
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

#endif  // TINYML_APP_KWS || TINYML_APP_MULTI_TENANT || TINYML_APP_CASCADE || TINYML_APP_LEARNER
