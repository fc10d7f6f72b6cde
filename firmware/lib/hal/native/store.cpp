// Persistent storage of the host process: the file that TINYML_STORE names; memory only without one.
#include "tinyml_build.h"

#if defined(TINYML_HAL_NATIVE)

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../hal.h"

namespace {

const char* store_path() {
  return getenv("TINYML_STORE");
}

}  // namespace

bool Hal::store_read(void* bytes, size_t count) {
  if (store_path() == nullptr) {
    return state_.store.read(bytes, count);
  }
  FILE* file = fopen(store_path(), "rb");
  if (file == nullptr) {
    return false;
  }
  const bool whole = fread(bytes, 1, count, file) == count;
  fclose(file);
  return whole;
}

bool Hal::store_write(const void* bytes, size_t count) {
  if (store_path() == nullptr) {
    state_.store.write(bytes, count);
    return false;  // it is gone when the process ends
  }
  FILE* file = fopen(store_path(), "wb");
  if (file == nullptr) {
    return false;
  }
  const bool whole = fwrite(bytes, 1, count, file) == count;
  return fclose(file) == 0 && whole;
}

#endif  // TINYML_HAL_NATIVE
