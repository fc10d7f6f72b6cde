// Two slots in flash for the tables of a network that was trained again.
//
// An update is a header (SlotHeader) and the tables. A slot is one page with the header and marks, and the
// pages of its tables. Marks are words that are written once, so whenever power fails, the slot is what it
// was before or after one of these steps:
//
//   header page erased, header written                        being filled
//   for each page: erased, written, marked                    being filled, so many pages are there
//   tables hashed, `complete` marked                          to be tried
//   at each boot until the self-test has passed: one attempt marked
//   self-test passed, `confirmed` marked                      in use
//   self-test failed, or no attempt left: `rejected` marked   never used again
//
// Tables may come packed, see Unpacker; in flash they are not.
//
// Only the slot that is not in use is ever erased. A board boots the slot with the highest release whose
// header carries a valid signature and whose tables have the hash in it; else the tables that were compiled
// in.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ed25519.h"
#include "flash_pages.h"
#include "sha512.h"
#include "unpacker.h"

struct SlotHeader {
  uint8_t magic[4];
  uint32_t release;  // grows with each model; little endian, as are all numbers
  uint32_t tables_bytes;
  uint8_t architecture[32];
  uint8_t reserved[20];
  uint8_t tables_hash[SHA512_BYTES];
  uint8_t signature[ED25519_SIGNATURE_BYTES];  // of all above
};
static_assert(sizeof(SlotHeader) == 192, "the layout that updates have");

// What updates must match.
struct SlotTerms {
  const uint8_t* key;           // ED25519_KEY_BYTES
  const uint8_t* architecture;  // as in the header
  uint32_t tables_bytes;        // a multiple of 8
  uint32_t built_in_release;
};

enum class SlotState : uint8_t { kEmpty, kPartial, kComplete, kConfirmed, kRejected };

// Why a part of an update was refused.
enum class UpdateError : uint8_t {
  kNone,
  kNotAnUpdate,
  kArchitecture,
  kOlder,
  kSignature,
  kOrder,  // not the bytes that come next, or no update has begun
  kBase,   // packed as changes of tables that do not run
  kFlash   // the flash does not hold what was written, or there is none
};

class ModelSlots {
 public:
  static constexpr int kCount = 2;
  static constexpr int kBuiltIn = -1;
  static constexpr int kAttempts = 3;

  // Flash that two slots for so many bytes take.
  static constexpr size_t flash_bytes(size_t tables_bytes) {
    return kCount * (FlashPages::kPageBytes + pages(tables_bytes) * FlashPages::kPageBytes);
  }

  // `flash` may be nullptr: then there are no slots. It and what the terms point to must outlive the slots.
  void begin(FlashPages* flash, const SlotTerms& terms);

  // Selects the newest model that may run, and marks an attempt unless it is confirmed. Returns its tables;
  // nullptr: those that were compiled in. Call it again after reject().
  const uint8_t* choose();

  // The outcome of the self-test of what choose() returned.
  void confirm();
  void reject();

  int running() const { return running_; }
  uint32_t running_release() const;
  SlotState state(int slot) const;
  uint32_t release(int slot) const { return header(slot).release; }

  // Takes the header of an update: begins it, or goes on where an interrupted one of the same header ended.
  UpdateError begin_update(const uint8_t* bytes);

  // Takes the tables' bytes from `offset` on, a multiple of 4 of them, aligned like words. Bytes that are
  // there already are ignored, any others must be the next ones. The last ones complete the update.
  UpdateError add(size_t offset, const uint8_t* bytes, size_t count);

  // Takes packed tables, from byte 0 on also where an interrupted update goes on. `running`: the tables in
  // use, whose changes they may be; it must outlive the update.
  UpdateError add_packed(size_t offset, const uint8_t* bytes, size_t count, const uint8_t* running);

  // How many of the tables' bytes are there.
  size_t received() const { return received_; }

 private:
  // Words of a header page, by offset.
  static constexpr size_t kCompleteMark = 256;
  static constexpr size_t kAttemptMarks = 260;
  static constexpr size_t kConfirmedMark = kAttemptMarks + 4 * kAttempts;
  static constexpr size_t kRejectedMark = kConfirmedMark + 4;
  static constexpr size_t kPageMarks = 512;

  static constexpr size_t pages(size_t bytes) {
    return (bytes + FlashPages::kPageBytes - 1) / FlashPages::kPageBytes;
  }

  size_t start(int slot) const {
    return static_cast<size_t>(slot) * flash_bytes(terms_.tables_bytes) / kCount;
  }
  const SlotHeader& header(int slot) const;
  const uint8_t* tables(int slot) const;
  bool is_marked(int slot, size_t mark) const;
  bool mark(int slot, size_t mark);
  bool fits(const SlotHeader& header) const;
  bool is_signed(const SlotHeader& header) const;
  bool has_hash(int slot) const;
  bool is_candidate(int slot) const;
  bool attempt(int slot);
  UpdateError write(const uint8_t* bytes, size_t count);
  UpdateError write_pages(const uint8_t* bytes, size_t count);
  UpdateError begin_packed(const uint8_t* preamble, const uint8_t* running);
  UpdateError flush();
  UpdateError finish();

  FlashPages* flash_ = nullptr;
  SlotTerms terms_ = {};
  int running_ = kBuiltIn;
  bool unusable_[kCount] = {};  // found damaged in this boot
  int target_ = kBuiltIn;       // being filled
  size_t received_ = 0;
  Unpacker unpacker_;
  size_t packed_received_ = 0;
  size_t unpacked_ = 0;  // bytes of the tables, with those in the block
  size_t in_block_ = 0;
  alignas(4) uint8_t block_[256];
};
