// The second model of multi_tenant: it hears the same features as the first, after it.
#pragma once

#include <stdint.h>

#include "light.h"
#include "listener.h"
#include "second_model_settings.h"
#include "session.h"

class SecondListener {
 public:
  SecondListener(Session& session, Light& light) : session_(session), light_(light) {}

  // False if the recognizer cannot hold the settings.
  bool begin();

  // Forgets all frames and detections.
  void reset();

  // Takes one frame of features, and runs the model if it is due.
  void hear(const uint16_t* features, uint32_t now_ms);

 private:
  Session& session_;
  Light& light_;
  Listener listener_;
  int8_t window_[SECOND_INPUT_FRAMES * SECOND_FEATURE_CHANNELS] = {};
};
