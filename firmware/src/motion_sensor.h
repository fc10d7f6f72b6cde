// The board's motion sensor, read at the model's rate, in the units of the command `imu`.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "hal.h"

class MotionSensor {
 public:
  static constexpr size_t kValues = 6;

  // Starts timing.
  void start(Hal& hal) {
    reads_ = 0;
    start_us_ = hal.clock_us();
  }

  // Acceleration x, y, z in g / 1000 and rotation x, y, z in 0.1 deg/s; false if the next sample is not
  // due, or there is no sensor.
  bool read(Hal& hal, uint32_t rate_millihz, int16_t values[kValues]) {
    const uint64_t elapsed_us = hal.clock_us() - start_us_;
    ImuSample sample;
    if (elapsed_us * rate_millihz < reads_ * 1000000000u || !hal.imu_read(&sample)) {
      return false;
    }
    ++reads_;
    const int32_t wide[kValues] = {sample.ax_mg,           sample.ay_mg,           sample.az_mg,
                                   tenths(sample.gx_mdps), tenths(sample.gy_mdps), tenths(sample.gz_mdps)};
    for (size_t i = 0; i < kValues; ++i) {
      values[i] = static_cast<int16_t>(wide[i] < INT16_MIN   ? INT16_MIN
                                       : wide[i] > INT16_MAX ? INT16_MAX
                                                             : wide[i]);
    }
    return true;
  }

 private:
  static int32_t tenths(int32_t thousandths) { return (thousandths + (thousandths < 0 ? -50 : 50)) / 100; }

  uint64_t reads_ = 0;
  uint64_t start_us_ = 0;
};
