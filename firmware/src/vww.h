// Visual wake words: camera frame (or frames from the host) -> inference -> presence over frames -> events.
#pragma once

#include <stdint.h>

#include "hal.h"
#include "looker.h"
#include "model_settings.h"
#include "session.h"

class VwwApp {
 public:
  // Starts everything and sends the `ready` banner. Any failure is reported as a `fault` event; the serial
  // protocol still answers.
  void setup(Hal& hal);

  // Does pending work: one batch of serial bytes, then one frame of the camera; sleeps if there is none.
  void step();

 private:
  Reject execute(const Command& command);
  void look();

  Session session_;
  Looker looker_;
  uint8_t frame_[FRAME_BYTES] = {};
};
