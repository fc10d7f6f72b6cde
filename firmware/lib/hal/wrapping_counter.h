// A 32-bit hardware counter extended to 64 bits that never goes back.
#pragma once

#include <stdint.h>

class WrappingCounter {
 public:
  // Starts counting.
  void start(uint32_t now) {
    last_ = now;
    total_ = 0;
  }

  // The count since start(). Must be called at least once in every 2^32 counts.
  uint64_t extend(uint32_t now) {
    total_ += static_cast<uint32_t>(now - last_);
    last_ = now;
    return total_;
  }

 private:
  uint32_t last_ = 0;
  uint64_t total_ = 0;
};
