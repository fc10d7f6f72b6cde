// Sensor data that the host sends in place of the board's own sensor: pcm, imu, frame.
#pragma once

#include "command.h"
#include "sequence_check.h"

class HostFeed {
 public:
  // Back to the board's own sensor.
  void reset() {
    sequence_.reset();
    is_active_ = false;
  }

  // Whether the host has sent data since the last reset: the board's own sensor is then ignored.
  bool is_active() const { return is_active_; }

  // Takes note of a command with data. False: it is a repetition, and the data were already processed.
  bool take(const Command& command) {
    if (sequence_.is_repeated(command.seq)) {
      return false;
    }
    sequence_.remember(command.seq);
    is_active_ = true;
    return true;
  }

 private:
  SequenceCheck sequence_;
  bool is_active_ = false;
};
