// Arm semihosting: services that QEMU executes on the host, a whole block of bytes at a time.
// Source: Arm, "Semihosting for AArch32 and AArch64" (operations, their parameter blocks, `:tt`).
#pragma once

#include <stddef.h>
#include <stdint.h>

enum class Semihosting : uint32_t {
  kOpen = 0x01,
  kWrite = 0x05,
  kRead = 0x06,
  kSeek = 0x0A,
  kCommandLine = 0x15,
  kExit = 0x18
};

enum class ExitReason : uint32_t {
  kApplicationExit = 0x20026,  // QEMU ends with exit code 0
  kRunTimeError = 0x20023,     // QEMU ends with exit code 1
};

// A stream of QEMU's own process.
enum class HostStream : uint32_t { kInput = 0, kOutput = 4 };  // modes "r" and "w" of the console `:tt`

enum class FileMode : uint32_t { kUpdate = 3, kCreate = 7 };  // "r+b", "w+b"

constexpr uint32_t kNoFile = 0xFFFFFFFFu;

inline uint32_t semihosting_call(Semihosting operation, uint32_t parameter) {
  register uint32_t r0 __asm("r0") = static_cast<uint32_t>(operation);
  register uint32_t r1 __asm("r1") = parameter;
  __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

inline uint32_t semihosting_call(Semihosting operation, const uint32_t* block) {
  return semihosting_call(operation, static_cast<uint32_t>(reinterpret_cast<uintptr_t>(block)));
}

inline uint32_t open_stream(HostStream stream) {
  static const char kConsole[] = ":tt";
  const uint32_t block[] = {reinterpret_cast<uintptr_t>(kConsole), static_cast<uint32_t>(stream),
                            sizeof(kConsole) - 1};
  return semihosting_call(Semihosting::kOpen, block);
}

// A file of the host; kNoFile: it cannot be opened so.
inline uint32_t open_file(const char* path, FileMode mode) {
  uint32_t length = 0;
  while (path[length] != '\0') {
    ++length;
  }
  const uint32_t block[] = {reinterpret_cast<uintptr_t>(path), static_cast<uint32_t>(mode), length};
  return semihosting_call(Semihosting::kOpen, block);
}

inline bool seek_file(uint32_t handle, uint32_t offset) {
  const uint32_t block[] = {handle, offset};
  return semihosting_call(Semihosting::kSeek, block) == 0;
}

// The program's name and arguments, as one line; false: it does not fit.
inline bool read_command_line(char* line, uint32_t capacity) {
  uint32_t block[] = {reinterpret_cast<uintptr_t>(line), capacity};
  return semihosting_call(Semihosting::kCommandLine, block) == 0;
}

// Waits for bytes; returns how many came: 0 at the end of the input, and if it cannot be read.
inline size_t read_stream(uint32_t handle, char* bytes, size_t capacity) {
  const uint32_t block[] = {handle, reinterpret_cast<uintptr_t>(bytes), capacity};
  const uint32_t not_read = semihosting_call(Semihosting::kRead, block);
  return not_read < capacity ? capacity - not_read : 0;
}

// Returns false if nobody reads any more.
inline bool write_stream(uint32_t handle, const char* bytes, size_t count) {
  while (count > 0) {
    const uint32_t block[] = {handle, reinterpret_cast<uintptr_t>(bytes), count};
    const uint32_t not_written = semihosting_call(Semihosting::kWrite, block);
    if (not_written >= count) {
      return false;
    }
    bytes += count - not_written;
    count = not_written;
  }
  return true;
}

[[noreturn]] inline void exit_emulator(ExitReason reason) {
  for (;;) {
    semihosting_call(Semihosting::kExit, static_cast<uint32_t>(reason));
  }
}
