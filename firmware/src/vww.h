// Visual wake words: camera frame (or frames from the host) -> inference -> presence over frames -> events.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "hal.h"
#include "image.h"
#include "model_settings.h"
#include "presence.h"
#include "session.h"

class VwwApp {
 public:
  // Starts everything and sends the `ready` banner. Whatever fails is reported as a `fault` event; the serial
  // protocol answers all the same.
  void setup(Hal& hal);

  // Does what is due: one batch of serial bytes, then one frame of the camera; sleeps when there is neither.
  void step();

 private:
  void reset();
  Reject execute(const Command& command);
  Reject accept_piece(const Command& command);
  void look();
  void report_input();
  void report_frame(uint32_t now_ms, uint32_t frame_us);
  void report_change(uint32_t now_ms);

  Session session_;
  Presence presence_;
  bool ready_ = false;
  bool has_camera_ = false;
  bool host_feeds_ =
      false;               // the host has sent frames since the last reset: the camera is not looked through
  uint16_t last_seq_ = 0;  // of the last piece; 0: none, and never a duplicate
  uint32_t frames_ = 0;    // looked at since the last reset
  uint8_t frame_[FRAME_BYTES] = {};
};
