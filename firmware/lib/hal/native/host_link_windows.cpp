// A pipe cannot be waited for on Windows, so a thread sits in ReadFile and hands over one piece at a time.
#include "tinyml_build.h"

#if defined(TINYML_HAL_NATIVE) && defined(_WIN32)

#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <string.h>

#include "host_link.h"

namespace {

// The thread owns the piece until it sets `filled`, the firmware until it sets `taken`.
char piece[4096];
DWORD piece_bytes;  // 0: the input has ended
DWORD taken_bytes;
HANDLE filled;
HANDLE taken;

DWORD WINAPI read_pieces(void*) {
  const HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
  do {
    if (!ReadFile(input, piece, sizeof(piece), &piece_bytes, nullptr)) {
      piece_bytes = 0;
    }
    taken_bytes = 0;
    SetEvent(filled);
  } while (piece_bytes > 0 && WaitForSingleObject(taken, INFINITE) == WAIT_OBJECT_0);
  return 0;
}

}  // namespace

void host_link_begin() {
  filled = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  taken = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  CreateThread(nullptr, 0, read_pieces, nullptr, 0, nullptr);
}

size_t host_link_read(char* bytes, size_t capacity, bool* ended) {
  if (WaitForSingleObject(filled, 0) != WAIT_OBJECT_0) {
    return 0;
  }
  *ended = piece_bytes == 0;
  const size_t left = piece_bytes - taken_bytes;
  const size_t count = left < capacity ? left : capacity;
  memcpy(bytes, piece + taken_bytes, count);
  taken_bytes += static_cast<DWORD>(count);
  if (taken_bytes == piece_bytes && !*ended) {
    ResetEvent(filled);
    SetEvent(taken);
  }
  return count;
}

void host_link_write(const char* bytes, size_t count) {
  const HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
  while (count > 0) {
    DWORD written = 0;
    if (!WriteFile(output, bytes, static_cast<DWORD>(count), &written, nullptr)) {
      return;
    }
    bytes += written;
    count -= written;
  }
}

void host_link_wait(uint32_t timeout_ms) {
  WaitForSingleObject(filled, timeout_ms);
}

uint64_t host_clock_us() {
  LARGE_INTEGER now, rate;
  QueryPerformanceCounter(&now);
  QueryPerformanceFrequency(&rate);
  const uint64_t ticks = static_cast<uint64_t>(now.QuadPart), hz = static_cast<uint64_t>(rate.QuadPart);
  return ticks / hz * 1000000u + ticks % hz * 1000000u / hz;
}

#endif  // TINYML_HAL_NATIVE && _WIN32
