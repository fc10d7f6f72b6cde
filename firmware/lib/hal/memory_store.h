// A store without persistence: its contents are lost with power.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

class MemoryStore {
 public:
  bool read(void* bytes, size_t count) const {
    if (count != used_) {
      return false;
    }
    memcpy(bytes, bytes_, count);
    return true;
  }

  bool write(const void* bytes, size_t count) {
    if (count > sizeof(bytes_)) {
      return false;
    }
    memcpy(bytes_, bytes, count);
    used_ = count;
    return true;
  }

 private:
  size_t used_ = 0;
  uint8_t bytes_[64] = {};
};
