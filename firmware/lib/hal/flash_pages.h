// Pages of flash that no program lies in, for data that survives a power cycle. Memory-mapped: they are read
// through a pointer.
#pragma once

#include <stddef.h>
#include <stdint.h>

class FlashPages {
 public:
  static constexpr size_t kPageBytes = 4096;

  FlashPages(const uint8_t* data, size_t bytes) : data_(data), bytes_(bytes) {}

  const uint8_t* data() const { return data_; }
  size_t bytes() const { return bytes_; }

  // Sets a page's bits. The processor may stand still meanwhile, for 85 ms on an nRF52840.
  virtual bool erase(size_t offset) = 0;

  // Clears bits: whole words, each once after an erasure. `bytes` is aligned like a word.
  virtual bool write(size_t offset, const void* bytes, size_t count) = 0;

 protected:
  ~FlashPages() = default;

 private:
  const uint8_t* data_;
  size_t bytes_;
};
