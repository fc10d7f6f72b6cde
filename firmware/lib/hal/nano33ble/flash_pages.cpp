// The pages of the nRF52840's flash below the last one, which is the store's (store.cpp).
#include "tinyml_build.h"

#if defined(TINYML_HAL_NANO33BLE) && defined(TINYML_FLASH_PAGES_BYTES)

#include <Arduino.h>
#include <drivers/FlashIAP.h>

#include "../flash_pages.h"
#include "../hal.h"

namespace {

constexpr unsigned long kFarewellMs = 100;  // for USB to send the answer

class ChipFlash : public FlashPages {
 public:
  explicit ChipFlash(uint32_t address)
      : FlashPages(reinterpret_cast<const uint8_t*>(address), TINYML_FLASH_PAGES_BYTES), address_(address) {}

  bool erase(size_t offset) override { return flash.erase(address_ + offset, kPageBytes) == 0; }

  bool write(size_t offset, const void* bytes, size_t count) override {
    return flash.program(bytes, address_ + offset, count) == 0;
  }

  mbed::FlashIAP flash;

 private:
  uint32_t address_;
};

}  // namespace

FlashPages* Hal::flash_pages() {
  static mbed::FlashIAP probe;
  if (probe.init() != 0) {
    return nullptr;
  }
  const uint32_t end = probe.get_flash_start() + probe.get_flash_size();
  const uint32_t page = probe.get_sector_size(end - 1);
  const uint32_t address = end - page - TINYML_FLASH_PAGES_BYTES;
  probe.deinit();
  if (page != FlashPages::kPageBytes || FLASHIAP_APP_ROM_END_ADDR > address) {
    return nullptr;
  }
  static ChipFlash pages(address);
  return pages.flash.init() == 0 ? &pages : nullptr;
}

void Hal::restart() {
  delay(kFarewellMs);
  NVIC_SystemReset();
}

#endif  // TINYML_HAL_NANO33BLE && TINYML_FLASH_PAGES_BYTES
