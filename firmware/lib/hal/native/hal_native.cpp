// Hal of the host process: the serial link is standard input and output (POSIX).
#include "tinyml_build.h"

#if defined(TINYML_HAL_NATIVE)

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../hal.h"

namespace {

constexpr int kIdleMs = 20;
constexpr int kWriteTimeoutMs = 2000;

uint64_t monotonic_us() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000u + static_cast<uint64_t>(now.tv_nsec) / 1000u;
}

bool wait_for(int descriptor, short event, int timeout_ms) {
  struct pollfd request = {descriptor, event, 0};
  return poll(&request, 1, timeout_ms) > 0;
}

}  // namespace

void Hal::begin() {
  state_.start_us = monotonic_us();
}

size_t Hal::serial_read(char* bytes, size_t capacity) {
  if (state_.host_gone || capacity == 0 || !wait_for(STDIN_FILENO, POLLIN, 0)) {
    return 0;
  }
  const ssize_t count = read(STDIN_FILENO, bytes, capacity);
  if (count > 0) {
    return static_cast<size_t>(count);
  }
  state_.host_gone = count == 0 || (errno != EINTR && errno != EAGAIN);
  return 0;
}

void Hal::serial_write(const char* bytes, size_t count) {
  while (count > 0) {
    if (!wait_for(STDOUT_FILENO, POLLOUT, kWriteTimeoutMs)) {
      return;
    }
    const ssize_t written = write(STDOUT_FILENO, bytes, count);
    if (written < 0) {
      if (errno == EINTR || errno == EAGAIN) {
        continue;
      }
      return;
    }
    bytes += written;
    count -= static_cast<size_t>(written);
  }
}

uint32_t Hal::clock_ms() {
  return static_cast<uint32_t>(clock_us() / 1000u);
}

uint64_t Hal::clock_us() {
  return monotonic_us() - state_.start_us;
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
  wait_for(STDIN_FILENO, POLLIN, kIdleMs);
}

#endif  // TINYML_HAL_NATIVE
