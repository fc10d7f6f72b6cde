// The magic wand: motion (or samples from the host) -> a stroke's picture, or a window of motion -> inference
// -> the gesture, or none.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "hal.h"
#include "host_feed.h"
#include "light.h"
#include "model_settings.h"
#include "motion_sensor.h"
#include "session.h"
#if defined(WAND_STROKE)
#include "wand_stroke.h"
#else
#include "motion_window.h"
#endif

class WandApp {
 public:
  // Starts everything and sends the `ready` banner. Any failure is reported as a `fault` event; the serial
  // protocol still answers.
  void setup(Hal& hal);

  // Does pending work: one batch of serial bytes, the samples that have arrived; sleeps if there is none.
  void step();

 private:
  static constexpr uint32_t kLightMs = 1000;

  bool begin_input();
  void reset_stream();
  Reject execute(const Command& command);
  Reject accept_samples(const Command& command);
  void push(const int16_t* sample);
  bool make_input();
  void judge();
  void report(size_t best, int8_t score, bool accepted);
  uint32_t stream_ms() const;

#if defined(WAND_STROKE)
  void report_stroke(size_t count);
  void draw_stroke();

  WandStroke stroke_ = {};
  RasterPoint points_[RASTER_MAX_POINTS] = {};
  uint8_t picture_[RASTER_SIZE][RASTER_SIZE][RASTER_CHANNELS] = {};
#else
  MotionWindow window_ = {};
#endif

  Session session_;
  MotionSensor sensor_;
  HostFeed host_;
  Light light_{session_, kLightMs};
  bool ready_ = false;
  uint64_t samples_ = 0;
  uint32_t inputs_ = 0;  // judged since the last reset
};
