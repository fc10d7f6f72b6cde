// Anomaly detection: samples of a sensor (or from the host) -> windows -> inference -> score -> alarm.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "anomaly_alarm.h"
#include "anomaly_window.h"
#include "hal.h"
#include "host_feed.h"
#include "model_settings.h"
#include "motion_sensor.h"
#include "session.h"

class AnomalyApp {
 public:
  // Starts everything and sends the `ready` banner. Any failure is reported as a `fault` event; the serial
  // protocol still answers.
  void setup(Hal& hal);

  // Does pending work: one batch of serial bytes, the samples that have arrived; sleeps if there is none.
  void step();

 private:
  void reset_stream();
  Reject execute(const Command& command);
  Reject accept_samples(const Command& command);
  bool read_sensor();
  void process(const int16_t* values, size_t count);

  void score_window();
  uint32_t score_of(const int8_t* output) const;
  void judge(uint32_t score);
  void report(uint32_t score);
  void report_alarm(uint32_t score);

  Reject start_calibration(uint32_t seconds);
  void end_calibration();
  void load_threshold();
  bool store_threshold();

  void update_led();
  uint32_t stream_ms() const;

  Session session_;
  AnomalyWindow window_;
  AnomalyAlarm alarm_ = {};
  AnomalyLevel level_ = {};
  AnomalyCalibration calibration_ = {};

  uint32_t threshold_ = TRAINED_THRESHOLD;
  uint32_t normal_level_ = TRAINED_LEVEL;
  uint32_t calibration_windows_ = 0;  // how many it takes; 0: none is under way

  bool ready_ = false;
  HostFeed host_;
  MotionSensor sensor_;
  uint32_t windows_ = 0;
  const uint8_t* color_ = nullptr;
};
