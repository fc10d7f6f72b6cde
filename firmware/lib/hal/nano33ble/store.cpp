// The last sector of the nRF52840's flash, which only programs of nearly 1 MB reach.
#include "tinyml_build.h"

#if defined(TINYML_HAL_NANO33BLE)

#include <drivers/FlashIAP.h>
#include <string.h>

#include "../hal.h"

namespace {

constexpr size_t kMostBytes = 64;

// The sector's address; 0 if the program extends into it, or the flash cannot be used.
uint32_t store_address(mbed::FlashIAP& flash) {
  if (flash.init() != 0) {
    return 0;
  }
  const uint32_t end = flash.get_flash_start() + flash.get_flash_size();
  const uint32_t address = end - flash.get_sector_size(end - 1);
  return FLASHIAP_APP_ROM_END_ADDR <= address ? address : 0;
}

}  // namespace

bool Hal::store_read(void* bytes, size_t count) {
  mbed::FlashIAP flash;
  const uint32_t address = store_address(flash);
  const bool done = address != 0 && flash.read(bytes, address, count) == 0;
  flash.deinit();
  return done;
}

bool Hal::store_write(const void* bytes, size_t count) {
  alignas(4) uint8_t page[kMostBytes];
  if (count > sizeof(page)) {
    return false;
  }
  memset(page, 0xFF, sizeof(page));
  memcpy(page, bytes, count);
  mbed::FlashIAP flash;
  const uint32_t address = store_address(flash);
  const bool done = address != 0 && flash.erase(address, flash.get_sector_size(address)) == 0 &&
                    flash.program(page, address, sizeof(page)) == 0;
  flash.deinit();
  return done;
}

#endif  // TINYML_HAL_NANO33BLE
