// Flash of a board without hardware: memory with the rules of flash, kept in a file of the host if there is
// one, and a loss of power that can be asked for.
#pragma once

#include <string.h>

#include "../flash_pages.h"

// `Host` has bool write_file(size_t offset, const uint8_t* bytes, size_t count), and lose_power(), which does
// not return.
template <class Host>
class FileFlash : public FlashPages {
 public:
  FileFlash(uint8_t* memory, size_t bytes) : FlashPages(memory, bytes), memory_(memory) {}

  // `cut_at`: in the middle of this operation power is lost, counted from 1; 0: never.
  void begin(Host* host, uint32_t cut_at) {
    host_ = host;
    cut_at_ = cut_at;
  }

  bool erase(size_t offset) override {
    const size_t count = is_last() ? kPageBytes / 2 : kPageBytes;
    memset(memory_ + offset, 0xFF, count);
    return keep(offset, count);
  }

  bool write(size_t offset, const void* bytes, size_t count) override {
    const uint8_t* data = static_cast<const uint8_t*>(bytes);
    const size_t written = is_last() ? count / 8 * 4 : count;
    for (size_t i = 0; i < written; ++i) {
      memory_[offset + i] &= data[i];
    }
    return keep(offset, written);
  }

 private:
  bool is_last() { return ++operations_ == cut_at_; }

  bool keep(size_t offset, size_t count) {
    const bool kept = host_->write_file(offset, memory_ + offset, count);
    if (operations_ == cut_at_) {
      host_->lose_power();
    }
    return kept;
  }

  uint8_t* memory_;
  Host* host_ = nullptr;
  uint32_t cut_at_ = 0;
  uint32_t operations_ = 0;
};
