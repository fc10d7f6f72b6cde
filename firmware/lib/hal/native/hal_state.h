// State of the Hal of the host process.
#pragma once

#include <stdint.h>

#include "../memory_store.h"

struct HalState {
  uint64_t start_us = 0;   // monotonic clock at begin()
  bool host_gone = false;  // standard input ended
  MemoryStore store;
};
