#include "unpacker.h"

namespace {

constexpr uint32_t kTop = 1u << 24;
constexpr int kProbabilityBits = 11;
constexpr int kMoveBits = 5;

}  // namespace

void Unpacker::begin(const uint8_t* base) {
  base_ = base;
  position_ = 0;
  range_ = 0xFFFFFFFFu;
  code_ = 0;
  start_ = kStartBytes;
  node_ = 1;
  last_ = 0;
  for (auto& tree : probability_) {
    for (uint16_t& probability : tree) {
      probability = 1u << (kProbabilityBits - 1);
    }
  }
}

size_t Unpacker::take(const uint8_t* packed, size_t count, size_t* used, uint8_t* bytes, size_t room) {
  size_t made = 0;
  *used = 0;
  while (made < room) {
    if (start_ > 0 || range_ < kTop) {
      if (*used == count) {
        break;
      }
      code_ = code_ << 8 | packed[(*used)++];
      if (start_ > 0) {
        --start_;
      } else {
        range_ <<= 8;
      }
      continue;
    }
    const unsigned tree = ((last_ & 0xFFu) == 0 ? 1u : 0u) | (last_ >> 24 == 0 ? 2u : 0u);
    uint16_t* probability = &probability_[tree][node_];
    const uint32_t bound = (range_ >> kProbabilityBits) * *probability;
    uint32_t bit = 0;
    if (code_ < bound) {
      range_ = bound;
      *probability =
          static_cast<uint16_t>(*probability + (((1u << kProbabilityBits) - *probability) >> kMoveBits));
    } else {
      code_ -= bound;
      range_ -= bound;
      *probability = static_cast<uint16_t>(*probability - (*probability >> kMoveBits));
      bit = 1;
    }
    node_ = node_ << 1 | bit;
    if (node_ >= 256) {
      const uint32_t difference = node_ & 0xFFu;
      last_ = last_ << 8 | difference;
      node_ = 1;
      bytes[made++] = static_cast<uint8_t>(difference + (base_ == nullptr ? 0u : base_[position_]));
      ++position_;
    }
  }
  return made;
}
