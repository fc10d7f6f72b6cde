// Everything of one sound model: its window of quantised features, and the meaning of its scores.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "feature_window.h"
#include "light.h"
#include "recognizer.h"
#include "session.h"

struct ListenerConfig {
  const char* model;  // its name; nullptr: it is the only one on the board
  const char* const* labels;
  const uint8_t (*colors)[3];  // one per label
  FeatureWindowConfig window;
  RecognizerConfig recognizer;
};

class Listener {
 public:
  // `memory` is the window's; it and everything that `config` points to must outlive the listener. False if
  // the recognizer cannot hold the settings.
  bool begin(const ListenerConfig& config, int8_t* memory);

  // Forgets all frames and detections.
  void reset();

  FeatureWindow& window() { return window_; }
  size_t labels() const { return config_.recognizer.labels; }

  // Takes the scores of one inference; reports them, and a detected word, whose colour it shows. Returns the
  // word, or nullptr.
  const char* judge(Session* session, Light* light, uint32_t now_ms, const int8_t* scores);

 private:
  void report(Session* session, const Detection& detection) const;

  ListenerConfig config_ = {};
  Recognizer recognizer_;
  FeatureWindow window_;
};
