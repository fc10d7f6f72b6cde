// Tables that were packed for the way: a binary range coder, adaptive, one bit after another.
//
// Packed tables begin with kPreambleBytes: 0 or 1 (they are the changes of other tables), 3 zeros, and the
// first bytes of the SHA-512 of those others (zeros without). What follows codes each byte minus that of the
// others, modulo 256, by a tree of 255 bits; which of kTrees depends on whether the byte before and the one
// four before were 0. A bit's probability is of 11 bits and moves by a 32nd, as in LZMA; so does the coder,
// whose first byte is 0 and whose last ones may be missing from what is needed.
//
// Any bytes decode to some tables: whether they are those of an update is for its hash to say.
#pragma once

#include <stddef.h>
#include <stdint.h>

class Unpacker {
 public:
  static constexpr size_t kPreambleBytes = 12;
  static constexpr size_t kBaseHashBytes = 8;

  // `base`: of the tables that are to come, as long as they are; nullptr: none. It must outlive the
  // unpacking.
  void begin(const uint8_t* base);

  // Decodes up to `room` bytes from what lies at `packed`. Returns how many; `*used` are those that it took,
  // all of them where there is room left.
  size_t take(const uint8_t* packed, size_t count, size_t* used, uint8_t* bytes, size_t room);

 private:
  static constexpr int kTrees = 4;
  static constexpr int kStartBytes = 5;

  const uint8_t* base_ = nullptr;
  size_t position_ = 0;
  uint32_t range_ = 0;
  uint32_t code_ = 0;
  int start_ = 0;      // bytes that the coder has yet to begin with
  uint32_t node_ = 1;  // of the tree: a 1 and the bits of the byte so far
  uint32_t last_ = 0;  // the last four differences, the newest in the lowest bits
  uint16_t probability_[kTrees][256];
};
