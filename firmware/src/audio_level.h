// Audio level: the root mean square of the samples since the last reading, and how many were clipped.
#pragma once

#include <stddef.h>
#include <stdint.h>

class AudioLevel {
 public:
  void add(const int16_t* samples, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      squares_ += static_cast<uint64_t>(static_cast<int64_t>(samples[i]) * samples[i]);
      clipping_ += samples[i] == INT16_MAX || samples[i] == INT16_MIN;
    }
    count_ += count;
  }

  // In int16 units; starts a new measurement. The last level again if no sample has come since.
  uint32_t take() {
    if (count_ > 0) {
      level_ = square_root(static_cast<uint32_t>(squares_ / count_));
      clipped_ = clipping_;
      squares_ = 0;
      count_ = 0;
      clipping_ = 0;
    }
    return level_;
  }

  // Samples at full scale in the measurement that take() ended.
  uint32_t clipped() const { return clipped_; }

 private:
  // Rounded down, digit by digit in base two.
  static uint32_t square_root(uint32_t value) {
    uint32_t root = 0;
    for (uint32_t bit = 1u << 15; bit > 0; bit >>= 1) {
      if ((root + bit) * (root + bit) <= value) {
        root += bit;
      }
    }
    return root;
  }

  uint64_t squares_ = 0;
  uint64_t count_ = 0;
  uint32_t level_ = 0;
  uint32_t clipping_ = 0;
  uint32_t clipped_ = 0;
};
