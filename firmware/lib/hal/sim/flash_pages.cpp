// Flash of the virtual board: the end of the memory that programs lie in, kept in a file of the host. The
// arguments of the program, which QEMU passes on: `firmware OPERATION FILE`; in the middle of that operation
// power is lost, 0: never.
#include "tinyml_build.h"

#if defined(TINYML_HAL_SIM) && defined(TINYML_FLASH_PAGES_BYTES)

#include <stdlib.h>

#include "../hal.h"
#include "../virtual/file_flash.h"
#include "semihosting.h"

extern "C" uint32_t _data_load[], _data_start[], _data_end[];

namespace {

constexpr uint32_t kFlashBytes = 1u << 20;
constexpr uint32_t kStoreBytes = FlashPages::kPageBytes;  // as on the board, the last page is another's
constexpr uint32_t kStart = kFlashBytes - kStoreBytes - TINYML_FLASH_PAGES_BYTES;
static_assert(TINYML_FLASH_PAGES_BYTES < kFlashBytes - kStoreBytes, "the slots do not fit the flash");

struct HostFile {
  uint32_t handle = kNoFile;

  void begin(const char* path, uint8_t* memory, size_t bytes) {
    memset(memory, 0xFF, bytes);
    if (path == nullptr) {
      return;
    }
    handle = open_file(path, FileMode::kUpdate);
    if (handle == kNoFile) {
      handle = open_file(path, FileMode::kCreate);
    }
    if (handle != kNoFile && read_stream(handle, reinterpret_cast<char*>(memory), bytes) < bytes) {
      write_file(0, memory, bytes);
    }
  }

  bool write_file(size_t offset, const uint8_t* bytes, size_t count) {
    return handle == kNoFile ||
           (seek_file(handle, offset) && write_stream(handle, reinterpret_cast<const char*>(bytes), count));
  }

  void lose_power() { exit_emulator(ExitReason::kRunTimeError); }
};

HostFile host;
char command_line[512];

FileFlash<HostFile> flash(reinterpret_cast<uint8_t*>(kStart), TINYML_FLASH_PAGES_BYTES);

// What follows the first blank; nullptr: there is none.
char* after_blank(char* text) {
  char* blank = text == nullptr ? nullptr : strchr(text, ' ');
  return blank == nullptr ? nullptr : blank + 1;
}

}  // namespace

FlashPages* Hal::flash_pages() {
  const uintptr_t program_end =
      reinterpret_cast<uintptr_t>(_data_load) +
      (reinterpret_cast<uintptr_t>(_data_end) - reinterpret_cast<uintptr_t>(_data_start));
  if (program_end > kStart) {
    return nullptr;
  }
  char* operation =
      read_command_line(command_line, sizeof(command_line)) ? after_blank(command_line) : nullptr;
  host.begin(after_blank(operation), reinterpret_cast<uint8_t*>(kStart), TINYML_FLASH_PAGES_BYTES);
  flash.begin(&host, operation == nullptr ? 0 : static_cast<uint32_t>(strtoul(operation, nullptr, 10)));
  return &flash;
}

void Hal::restart() {
  exit_emulator(ExitReason::kApplicationExit);  // whoever runs the board starts it again
}

#endif  // TINYML_HAL_SIM && TINYML_FLASH_PAGES_BYTES
