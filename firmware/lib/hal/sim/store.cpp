// The virtual board has no persistent storage.
#include "tinyml_build.h"

#if defined(TINYML_HAL_SIM)

#include "../hal.h"

bool Hal::store_read(void* bytes, size_t count) {
  return state_.store.read(bytes, count);
}

bool Hal::store_write(const void* bytes, size_t count) {
  state_.store.write(bytes, count);
  return false;
}

#endif  // TINYML_HAL_SIM
