// A Hal whose clock runs as fast as the program asks for samples: every read is 10 ms of quiet room.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <string>
#include <utility>
#include <vector>

struct ImuSample {
  int32_t ax_mg, ay_mg, az_mg, gx_mdps, gy_mdps, gz_mdps;
};

class Hal {
 public:
  explicit Hal(uint64_t start_ms) : clock_us_(start_ms * 1000) {}

  void begin() {}
  size_t serial_read(char* bytes, size_t) {
    if (sent_ == commands_.size() || clock_ms() < commands_[sent_].first) {
      return 0;
    }
    const std::string& line = commands_[sent_++].second;
    return line.copy(bytes, line.size());
  }
  // Lines from the host come by this clock.
  void send_at(uint32_t time_ms, const std::string& line) { commands_.emplace_back(time_ms, line + "\n"); }
  void serial_write(const char* bytes, size_t count) { fwrite(bytes, 1, count, stdout); }
  size_t microphone_read(int16_t* samples, size_t capacity) {
    const size_t count = capacity < 160 ? capacity : 160;
    for (size_t i = 0; i < count; ++i) {
      samples[i] = 0;
    }
    clock_us_ += count * 1000000 / 16000;
    return count;
  }
  uint32_t microphone_overruns() { return 0; }
  size_t sensor_names(const char**, size_t) { return 0; }
  bool imu_read(ImuSample*) { return false; }
  const char* imu_name() { return "none"; }
  const char* complaint() { return ""; }
  void led(uint8_t, uint8_t, uint8_t) {}
  uint32_t clock_ms() { return static_cast<uint32_t>(clock_us_ / 1000); }
  uint64_t clock_us() { return clock_us_; }
  uint64_t instruction_count() { return 0; }
  uint64_t cycle_count() { return 0; }
  void watchdog_feed() {}
  void idle() {}

 private:
  uint64_t clock_us_;
  size_t sent_ = 0;
  std::vector<std::pair<uint32_t, std::string>> commands_{{0, "trace 1 status\n"}};
};
