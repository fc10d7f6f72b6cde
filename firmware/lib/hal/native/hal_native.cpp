// Hal of a process of this computer: the serial link is standard input and output.
#include "tinyml_build.h"

#if defined(TINYML_HAL_NATIVE)

#include <stdlib.h>

#include "../hal.h"
#include "host_link.h"

namespace {

constexpr uint32_t kIdleMs = 20;

}  // namespace

void Hal::begin() {
  host_link_begin();
  state_.start_us = host_clock_us();
}

size_t Hal::serial_read(char* bytes, size_t capacity) {
  if (state_.host_gone || capacity == 0) {
    return 0;
  }
  return host_link_read(bytes, capacity, &state_.host_gone);
}

void Hal::serial_write(const char* bytes, size_t count) {
  host_link_write(bytes, count);
}

uint32_t Hal::clock_ms() {
  return static_cast<uint32_t>(clock_us() / 1000u);
}

uint64_t Hal::clock_us() {
  return host_clock_us() - state_.start_us;
}

uint64_t Hal::instruction_count() {
  return 0;
}

uint64_t Hal::cycle_count() {
  return 0;
}

void Hal::idle() {
  if (state_.host_gone) {
    exit(0);  // nobody can ask for anything any more
  }
  host_link_wait(kIdleMs);
}

#endif  // TINYML_HAL_NATIVE
