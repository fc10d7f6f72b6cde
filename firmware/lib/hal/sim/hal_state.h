// State of the Hal of the virtual board.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../memory_store.h"

struct HalState {
  static constexpr size_t kLineBytes = 512;

  uint32_t input = 0;  // semihosting handles
  uint32_t output = 0;
  size_t used = 0;  // bytes of `line` that wait to be sent
  char line[kLineBytes];
  MemoryStore store;
};
