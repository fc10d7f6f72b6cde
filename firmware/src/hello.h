// The curve of a model of one number: a point of it at each tick -> inference -> the brightness of the light.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "hal.h"
#include "host_feed.h"
#include "model_settings.h"
#include "session.h"

class HelloApp {
 public:
  // Starts everything and sends the `ready` banner. Any failure is reported as a `fault` event; the serial
  // protocol still answers.
  void setup(Hal& hal);

  // Does pending work: one batch of serial bytes, and the next point if it is due; sleeps if neither is.
  void step();

 private:
  void reset_curve();
  Reject execute(const Command& command);
  bool is_due();
  void show_point();

  Session session_;
  HostFeed host_;
  size_t point_ = 0;
  uint32_t last_ms_ = 0;
  uint32_t color_ms_ = 0;
  bool is_color_shown_ = false;
};
