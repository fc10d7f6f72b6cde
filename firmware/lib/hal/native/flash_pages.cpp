// Flash of the host process: the file that TINYML_FLASH names; memory only without one. TINYML_FLASH_CUT is
// the operation in which power is lost.
#include "tinyml_build.h"

#if defined(TINYML_HAL_NATIVE) && defined(TINYML_FLASH_PAGES_BYTES)

#include <stdio.h>
#include <stdlib.h>

#include "../hal.h"
#include "../virtual/file_flash.h"

namespace {

alignas(8) uint8_t memory[TINYML_FLASH_PAGES_BYTES];

struct HostFile {
  FILE* file = nullptr;

  void begin() {
    memset(memory, 0xFF, sizeof(memory));
    const char* path = getenv("TINYML_FLASH");
    if (path == nullptr) {
      return;
    }
    file = fopen(path, "r+b");
    if (file == nullptr) {
      file = fopen(path, "w+b");
    }
    if (file != nullptr && fread(memory, 1, sizeof(memory), file) < sizeof(memory)) {
      write_file(0, memory, sizeof(memory));
    }
  }

  bool write_file(size_t offset, const uint8_t* bytes, size_t count) {
    return file == nullptr || (fseek(file, static_cast<long>(offset), SEEK_SET) == 0 &&
                               fwrite(bytes, 1, count, file) == count && fflush(file) == 0);
  }

  void lose_power() { _Exit(1); }
};

HostFile host;
FileFlash<HostFile> flash(memory, sizeof(memory));

}  // namespace

FlashPages* Hal::flash_pages() {
  const char* cut = getenv("TINYML_FLASH_CUT");
  host.begin();
  flash.begin(&host, cut == nullptr ? 0 : static_cast<uint32_t>(strtoul(cut, nullptr, 10)));
  return &flash;
}

void Hal::restart() {
  exit(0);  // whoever runs this process starts it again
}

#endif  // TINYML_HAL_NATIVE && TINYML_FLASH_PAGES_BYTES
