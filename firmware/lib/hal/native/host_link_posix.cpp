#include "tinyml_build.h"

#if defined(TINYML_HAL_NATIVE) && !defined(_WIN32)

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "host_link.h"

namespace {

constexpr int kWriteTimeoutMs = 2000;

bool wait_for(int descriptor, short event, int timeout_ms) {
  struct pollfd request = {descriptor, event, 0};
  return poll(&request, 1, timeout_ms) > 0;
}

}  // namespace

void host_link_begin() {}

size_t host_link_read(char* bytes, size_t capacity, bool* ended) {
  if (!wait_for(STDIN_FILENO, POLLIN, 0)) {
    return 0;
  }
  const ssize_t count = read(STDIN_FILENO, bytes, capacity);
  if (count > 0) {
    return static_cast<size_t>(count);
  }
  *ended = count == 0 || (errno != EINTR && errno != EAGAIN);
  return 0;
}

void host_link_write(const char* bytes, size_t count) {
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

void host_link_wait(uint32_t timeout_ms) {
  wait_for(STDIN_FILENO, POLLIN, static_cast<int>(timeout_ms));
}

uint64_t host_clock_us() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000u + static_cast<uint64_t>(now.tv_nsec) / 1000u;
}

#endif  // TINYML_HAL_NATIVE && !_WIN32
