#include "model_slots.h"

#include <string.h>

namespace {

constexpr uint8_t kMagic[4] = {'T', 'M', 'S', '1'};
constexpr uint32_t kErased = 0xFFFFFFFFu;
constexpr size_t kSignedBytes = sizeof(SlotHeader) - ED25519_SIGNATURE_BYTES;

}  // namespace

void ModelSlots::begin(FlashPages* flash, const SlotTerms& terms) {
  const bool fits = flash != nullptr && flash->bytes() >= flash_bytes(terms.tables_bytes);
  flash_ = fits ? flash : nullptr;
  terms_ = terms;
}

const SlotHeader& ModelSlots::header(int slot) const {
  return *reinterpret_cast<const SlotHeader*>(flash_->data() + start(slot));
}

const uint8_t* ModelSlots::tables(int slot) const {
  return flash_->data() + start(slot) + FlashPages::kPageBytes;
}

bool ModelSlots::is_marked(int slot, size_t mark) const {
  uint32_t word;
  memcpy(&word, flash_->data() + start(slot) + mark, sizeof(word));
  return word != kErased;
}

bool ModelSlots::mark(int slot, size_t mark) {
  const uint32_t word = 0;
  return flash_->write(start(slot) + mark, &word, sizeof(word)) && is_marked(slot, mark);
}

bool ModelSlots::fits(const SlotHeader& header) const {
  return memcmp(header.magic, kMagic, sizeof(kMagic)) == 0 && header.tables_bytes == terms_.tables_bytes &&
         memcmp(header.architecture, terms_.architecture, sizeof(header.architecture)) == 0;
}

bool ModelSlots::is_signed(const SlotHeader& header) const {
  return ed25519_verify(terms_.key, header.signature, &header, kSignedBytes);
}

bool ModelSlots::has_hash(int slot) const {
  sha512 hash;
  uint8_t digest[SHA512_BYTES];
  sha512_begin(&hash);
  sha512_add(&hash, tables(slot), terms_.tables_bytes);
  sha512_end(&hash, digest);
  return memcmp(digest, header(slot).tables_hash, sizeof(digest)) == 0;
}

SlotState ModelSlots::state(int slot) const {
  if (flash_ == nullptr || !fits(header(slot))) {
    return SlotState::kEmpty;
  }
  if (is_marked(slot, kRejectedMark)) {
    return SlotState::kRejected;
  }
  if (!is_marked(slot, kCompleteMark)) {
    return SlotState::kPartial;
  }
  return is_marked(slot, kConfirmedMark) ? SlotState::kConfirmed : SlotState::kComplete;
}

uint32_t ModelSlots::running_release() const {
  return running_ == kBuiltIn ? terms_.built_in_release : release(running_);
}

bool ModelSlots::is_candidate(int slot) const {
  const SlotState now = state(slot);
  return (now == SlotState::kComplete || now == SlotState::kConfirmed) && !unusable_[slot] &&
         release(slot) > terms_.built_in_release;
}

// Whether the slot may run once more.
bool ModelSlots::attempt(int slot) {
  if (is_marked(slot, kConfirmedMark)) {
    return true;
  }
  for (int i = 0; i < kAttempts; ++i) {
    const size_t place = kAttemptMarks + 4 * static_cast<size_t>(i);
    if (!is_marked(slot, place)) {
      return mark(slot, place);
    }
  }
  mark(slot, kRejectedMark);
  return false;
}

const uint8_t* ModelSlots::choose() {
  running_ = kBuiltIn;
  for (int round = 0; round < kCount; ++round) {
    int best = kBuiltIn;
    for (int slot = 0; slot < kCount; ++slot) {
      if (is_candidate(slot) && (best == kBuiltIn || release(slot) > release(best))) {
        best = slot;
      }
    }
    if (best == kBuiltIn) {
      break;
    }
    if (is_signed(header(best)) && has_hash(best) && attempt(best)) {
      running_ = best;
      return tables(best);
    }
    unusable_[best] = true;
  }
  return nullptr;
}

void ModelSlots::confirm() {
  if (running_ != kBuiltIn && !is_marked(running_, kConfirmedMark)) {
    mark(running_, kConfirmedMark);
  }
}

void ModelSlots::reject() {
  if (running_ != kBuiltIn) {
    mark(running_, kRejectedMark);
    unusable_[running_] = true;
  }
}

UpdateError ModelSlots::begin_update(const uint8_t* bytes) {
  SlotHeader given;
  memcpy(&given, bytes, sizeof(given));
  if (flash_ == nullptr) {
    return UpdateError::kFlash;
  }
  if (memcmp(given.magic, kMagic, sizeof(kMagic)) != 0) {
    return UpdateError::kNotAnUpdate;
  }
  if (!fits(given)) {
    return UpdateError::kArchitecture;
  }
  if (given.release <= running_release()) {
    return UpdateError::kOlder;
  }
  if (!is_signed(given)) {
    return UpdateError::kSignature;
  }
  received_ = 0;
  packed_received_ = 0;
  for (int slot = 0; slot < kCount; ++slot) {
    if (slot != running_ && state(slot) == SlotState::kPartial &&
        memcmp(&header(slot), &given, sizeof(given)) == 0) {
      target_ = slot;
      size_t whole = 0;
      while (whole < pages(terms_.tables_bytes) && is_marked(slot, kPageMarks + 4 * whole)) {
        ++whole;
      }
      received_ = whole * FlashPages::kPageBytes;
      if (received_ < terms_.tables_bytes) {
        return UpdateError::kNone;
      }
      received_ = terms_.tables_bytes;
      return finish();
    }
  }
  target_ = running_ == 0 ? 1 : 0;
  if (!flash_->erase(start(target_)) || !flash_->write(start(target_), &given, sizeof(given)) ||
      memcmp(&header(target_), &given, sizeof(given)) != 0) {
    target_ = kBuiltIn;
    return UpdateError::kFlash;
  }
  return UpdateError::kNone;
}

UpdateError ModelSlots::add(size_t offset, const uint8_t* bytes, size_t count) {
  if (count % 4 != 0 || offset > received_ || offset > terms_.tables_bytes ||
      count > terms_.tables_bytes - offset) {
    return UpdateError::kOrder;
  }
  if (offset + count <= received_) {
    return UpdateError::kNone;  // the answer was lost
  }
  if (target_ == kBuiltIn || offset != received_) {
    return UpdateError::kOrder;
  }
  return write_pages(bytes, count);
}

UpdateError ModelSlots::add_packed(size_t offset, const uint8_t* bytes, size_t count,
                                   const uint8_t* running) {
  if (offset > packed_received_) {
    return UpdateError::kOrder;
  }
  if (offset + count <= packed_received_) {
    return UpdateError::kNone;  // the answer was lost
  }
  if (offset == packed_received_ && offset > 0 && unpacked_ == terms_.tables_bytes) {
    packed_received_ += count;  // the coder's last bytes, which nothing needs
    return UpdateError::kNone;
  }
  if (target_ == kBuiltIn || offset != packed_received_) {
    return UpdateError::kOrder;
  }
  size_t used = 0;
  if (offset == 0) {
    if (count < Unpacker::kPreambleBytes) {
      return UpdateError::kOrder;
    }
    const UpdateError error = begin_packed(bytes, running);
    if (error != UpdateError::kNone) {
      return error;
    }
    used = Unpacker::kPreambleBytes;
  }
  packed_received_ += count;
  UpdateError error = UpdateError::kNone;
  while (error == UpdateError::kNone && unpacked_ < terms_.tables_bytes) {
    const size_t left = terms_.tables_bytes - unpacked_;
    const size_t room = sizeof(block_) - in_block_;
    size_t taken = 0;
    const size_t made =
        unpacker_.take(bytes + used, count - used, &taken, block_ + in_block_, room < left ? room : left);
    used += taken;
    in_block_ += made;
    unpacked_ += made;
    if (in_block_ < sizeof(block_) && unpacked_ < terms_.tables_bytes) {
      break;  // the next piece goes on
    }
    error = flush();
  }
  return error;
}

UpdateError ModelSlots::begin_packed(const uint8_t* preamble, const uint8_t* running) {
  if (preamble[0] > 1) {
    return UpdateError::kNotAnUpdate;
  }
  const bool is_change = preamble[0] == 1;
  if (is_change) {
    sha512 hash;
    uint8_t digest[SHA512_BYTES];
    sha512_begin(&hash);
    sha512_add(&hash, running, terms_.tables_bytes);
    sha512_end(&hash, digest);
    if (memcmp(digest, preamble + Unpacker::kPreambleBytes - Unpacker::kBaseHashBytes,
               Unpacker::kBaseHashBytes) != 0) {
      return UpdateError::kBase;
    }
  }
  unpacker_.begin(is_change ? running : nullptr);
  unpacked_ = 0;
  in_block_ = 0;
  return UpdateError::kNone;
}

// Writes the block, but for what an interrupted update has left there: whole pages, so whole blocks.
UpdateError ModelSlots::flush() {
  const size_t count = in_block_;
  in_block_ = 0;
  return unpacked_ <= received_ ? UpdateError::kNone : write_pages(block_, count);
}

// Writes the next bytes of the tables; the last ones complete the update.
UpdateError ModelSlots::write_pages(const uint8_t* bytes, size_t count) {
  UpdateError error = UpdateError::kNone;
  while (count > 0 && error == UpdateError::kNone) {
    const size_t left = FlashPages::kPageBytes - received_ % FlashPages::kPageBytes;
    const size_t piece = count < left ? count : left;
    error = write(bytes, piece);
    bytes += piece;
    count -= piece;
  }
  if (error == UpdateError::kNone && received_ == terms_.tables_bytes) {
    error = finish();
  }
  if (error != UpdateError::kNone) {
    target_ = kBuiltIn;  // the header begins it again
  }
  return error;
}

// Writes bytes of one page.
UpdateError ModelSlots::write(const uint8_t* bytes, size_t count) {
  const size_t page = received_ / FlashPages::kPageBytes;
  const size_t place = start(target_) + FlashPages::kPageBytes + received_;
  const bool erased = received_ % FlashPages::kPageBytes != 0 || flash_->erase(place);
  if (!erased || !flash_->write(place, bytes, count) || memcmp(flash_->data() + place, bytes, count) != 0) {
    return UpdateError::kFlash;
  }
  received_ += count;
  const bool whole = received_ % FlashPages::kPageBytes == 0 || received_ == terms_.tables_bytes;
  return !whole || mark(target_, kPageMarks + 4 * page) ? UpdateError::kNone : UpdateError::kFlash;
}

UpdateError ModelSlots::finish() {
  const int slot = target_;
  target_ = kBuiltIn;
  if (!has_hash(slot)) {
    flash_->erase(start(slot));
    received_ = 0;
    return UpdateError::kSignature;
  }
  return mark(slot, kCompleteMark) ? UpdateError::kNone : UpdateError::kFlash;
}
