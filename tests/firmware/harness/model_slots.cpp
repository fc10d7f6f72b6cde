// Power cuts during updates. Arguments: files of the public key (32 bytes), an old update and a new one, and
// the new one's tables packed as changes of the old one's, and alone. For every operation of the update from
// the old model to the new one that a cut may hit, and every way to be hit, the board must boot one of the
// two, and the update must then reach its end. Prints how many cuts there were; exits with 1 and a reason
// where one of these fails.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

#include "model_slots.h"

using Bytes = std::vector<uint8_t>;

// Flash that loses power at an operation, in the middle of it.
class CutFlash : public FlashPages {
 public:
  CutFlash(uint8_t* memory, size_t bytes) : FlashPages(memory, bytes), memory_(memory) {}

  void power(int operations_left, unsigned seed) {
    left_ = operations_left;
    srand(seed);
  }
  bool is_dead() const { return left_ == 0; }
  int operations() const { return operations_; }

  bool erase(size_t offset) override {
    if (is_dead()) return false;
    require(offset % kPageBytes == 0 && offset < bytes(), "an erasure outside the flash");
    if (spent()) {
      for (size_t i = 0; i < kPageBytes; ++i) {
        memory_[offset + i] = static_cast<uint8_t>(memory_[offset + i] | (rand() % 3 == 0 ? rand() : 0xFF));
      }
      return false;
    }
    memset(memory_ + offset, 0xFF, kPageBytes);
    return true;
  }

  bool write(size_t offset, const void* bytes, size_t count) override {
    if (is_dead()) return false;
    require(offset % 4 == 0 && count % 4 == 0 && offset + count <= this->bytes(),
            "a write of parts of words");
    const uint8_t* data = static_cast<const uint8_t*>(bytes);
    for (size_t i = 0; i < count; ++i) {
      require(memory_[offset + i] == 0xFF, "a word is written twice");
    }
    const bool dies = spent();
    const size_t whole = dies ? rand() % (count / 4) * 4 : count;
    for (size_t i = 0; i < whole; ++i) memory_[offset + i] &= data[i];
    for (size_t i = whole; i < whole + 4 && i < count; ++i) {
      memory_[offset + i] &= static_cast<uint8_t>(data[i] | rand());
    }
    return !dies;
  }

  static void require(bool holds, const char* what) {
    if (!holds) {
      printf("%s\n", what);
      exit(1);
    }
  }

 private:
  bool spent() {
    ++operations_;
    return --left_ == 0;
  }

  uint8_t* memory_;
  int left_ = -1;
  int operations_ = 0;
};

static Bytes read_file(const char* name) {
  Bytes bytes(1 << 20);
  FILE* file = fopen(name, "rb");
  CutFlash::require(file != nullptr, "no such file");
  bytes.resize(fread(bytes.data(), 1, bytes.size(), file));
  fclose(file);
  return bytes;
}

static SlotTerms terms(const Bytes& key, const Bytes& update) {
  const SlotHeader* header = reinterpret_cast<const SlotHeader*>(update.data());
  return SlotTerms{key.data(), header->architecture, header->tables_bytes, 0};
}

// Sends the packed tables of an update; what is left of the last piece, twice, as where an answer was lost.
static UpdateError send_packed(ModelSlots* slots, const Bytes& update, const Bytes& packed,
                               const uint8_t* running) {
  UpdateError error = slots->begin_update(update.data());
  const size_t piece = 1300;
  if (slots->received() == update.size() - sizeof(SlotHeader)) return error;  // it only was not complete
  for (size_t at = 0; error == UpdateError::kNone && at < packed.size(); at += piece) {
    const size_t count = piece < packed.size() - at ? piece : packed.size() - at;
    error = slots->add_packed(at, packed.data() + at, count, running);
    if (error == UpdateError::kNone) error = slots->add_packed(at, packed.data() + at, count, running);
  }
  return error;
}

static UpdateError send(ModelSlots* slots, const Bytes& update, size_t piece) {
  UpdateError error = slots->begin_update(update.data());
  const uint8_t* tables = update.data() + sizeof(SlotHeader);
  const size_t size = update.size() - sizeof(SlotHeader);
  while (error == UpdateError::kNone && slots->received() < size) {
    const size_t at = slots->received();
    error = slots->add(at, tables + at, piece < size - at ? piece : size - at);
  }
  return error;
}

// Which of the two updates' tables a boot selects: 0, 1; -1: those that were compiled in.
static int boot(ModelSlots* slots, FlashPages* flash, const Bytes& key, const Bytes updates[2]) {
  slots->begin(flash, terms(key, updates[0]));
  const uint8_t* tables = slots->choose();
  if (tables == nullptr) return -1;
  for (int i = 0; i < 2; ++i) {
    if (memcmp(tables, updates[i].data() + sizeof(SlotHeader), updates[i].size() - sizeof(SlotHeader)) == 0) {
      return i;
    }
  }
  CutFlash::require(false, "the board boots tables that nobody signed");
  return -1;
}

// The update with power cut at this operation; false: it ended before. `old_installed`: the old model lies in
// a slot; else it is the one that was compiled in.
static bool cut(const Bytes& key, const Bytes updates[2], const Bytes* packed, bool old_installed,
                int operation, unsigned seed) {
  const size_t size = ModelSlots::flash_bytes(terms(key, updates[0]).tables_bytes);
  alignas(8) static uint8_t memory[1 << 18];
  CutFlash::require(size <= sizeof(memory), "the model is too large for this test");
  memset(memory, seed % 2 == 0 ? 0xFF : 0x5A, size);
  CutFlash flash(memory, size);
  const int old = old_installed ? 0 : -1;
  ModelSlots first;
  CutFlash::require(boot(&first, &flash, key, updates) == -1, "an empty board boots a slot");
  if (old_installed) {
    CutFlash::require(send(&first, updates[0], 600) == UpdateError::kNone, "the old model is refused");
    ModelSlots tried;
    CutFlash::require(boot(&tried, &flash, key, updates) == 0, "the old model does not boot");
    tried.confirm();
  }
  ModelSlots second;
  CutFlash::require(boot(&second, &flash, key, updates) == old, "the old model does not boot");
  const uint8_t* running = updates[0].data() + sizeof(SlotHeader);
  const auto send_new = [&](ModelSlots* slots) {
    return packed == nullptr ? send(slots, updates[1], 600)
                             : send_packed(slots, updates[1], packed[old_installed ? 0 : 1], running);
  };
  flash.power(operation, seed);
  bool died = send_new(&second) != UpdateError::kNone && flash.is_dead();
  if (!died) {
    ModelSlots rebooted;
    boot(&rebooted, &flash, key, updates);
    rebooted.confirm();
    died = flash.is_dead();
  }
  flash.power(-1, seed);
  ModelSlots after;
  const int chosen = boot(&after, &flash, key, updates);
  CutFlash::require(chosen == old || chosen == 1, "neither the old model nor the new one boots");
  if (chosen == old) {
    CutFlash::require(send_new(&after) == UpdateError::kNone, "the update cannot be finished");
    ModelSlots last;
    CutFlash::require(boot(&last, &flash, key, updates) == 1, "the new model does not boot in the end");
  }
  return died;
}

static void try_attempts(const Bytes& key, const Bytes updates[2]) {
  const size_t size = ModelSlots::flash_bytes(terms(key, updates[0]).tables_bytes);
  alignas(8) static uint8_t memory[1 << 18];
  memset(memory, 0xFF, size);
  CutFlash flash(memory, size);
  for (int i = 0; i < 2; ++i) {
    ModelSlots slots;
    boot(&slots, &flash, key, updates);
    CutFlash::require(send(&slots, updates[i], 4096) == UpdateError::kNone, "an update is refused");
    ModelSlots next;
    CutFlash::require(boot(&next, &flash, key, updates) == i, "an update does not boot");
    if (i == 0) next.confirm();
  }
  for (int boots = 1; boots < ModelSlots::kAttempts; ++boots) {
    ModelSlots again;
    CutFlash::require(boot(&again, &flash, key, updates) == 1, "an attempt is missing");
  }
  ModelSlots back, older;
  CutFlash::require(boot(&back, &flash, key, updates) == 0, "three failed boots do not roll back");
  CutFlash::require(back.begin_update(updates[0].data()) == UpdateError::kOlder, "the same release again");
  CutFlash::require(send(&back, updates[1], 4096) == UpdateError::kNone,
                    "a rejected release cannot come back");
  CutFlash::require(boot(&older, &flash, key, updates) == 1, "it does not boot");
  older.confirm();
  CutFlash::require(older.begin_update(updates[0].data()) == UpdateError::kOlder, "a downgrade is accepted");
  Bytes forged = updates[1];
  forged[4] ^= 0x40;  // a higher release
  CutFlash::require(older.begin_update(forged.data()) == UpdateError::kSignature,
                    "a forged header is accepted");
  forged[12] ^= 1;
  CutFlash::require(older.begin_update(forged.data()) == UpdateError::kArchitecture, "another architecture");
}

// Packed tables that do not belong to the update, or not to what runs.
static void try_hostile(const Bytes& key, const Bytes updates[2], const Bytes packed[2]) {
  const size_t size = ModelSlots::flash_bytes(terms(key, updates[0]).tables_bytes);
  alignas(8) static uint8_t memory[1 << 18];
  memset(memory, 0xFF, size);
  CutFlash flash(memory, size);
  ModelSlots slots;
  boot(&slots, &flash, key, updates);
  const uint8_t* other = updates[1].data() + sizeof(SlotHeader);
  CutFlash::require(send_packed(&slots, updates[1], packed[0], other) == UpdateError::kBase, "another base");
  CutFlash::require(send(&slots, updates[1], 600) == UpdateError::kNone, "no update after a wrong base");
  Bytes bytes(updates[1].size() * 2);
  for (unsigned seed = 0; seed < 300; ++seed) {
    srand(seed);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rand());
    if (seed % 2 == 0) memcpy(bytes.data(), packed[1].data(), 12 + rand() % 200);
    if (seed % 3 == 0) bytes[0] = 0;
    memset(memory, 0xFF, size);
    boot(&slots, &flash, key, updates);
    CutFlash::require(slots.begin_update(updates[1].data()) == UpdateError::kNone, "the header is refused");
    size_t at = 0;
    UpdateError error = UpdateError::kNone;
    while (error == UpdateError::kNone && at < bytes.size()) {
      const size_t piece = 1 + rand() % 900;
      const size_t count = piece < bytes.size() - at ? piece : bytes.size() - at;
      error = slots.add_packed(at, bytes.data() + at, count, other);
      at += count;
    }
    CutFlash::require(error != UpdateError::kNone, "any bytes are an update");
    CutFlash::require(boot(&slots, &flash, key, updates) == -1, "the board boots what nobody signed");
  }
}

int main(int count, char** arguments) {
  CutFlash::require(count == 6, "five files");
  const Bytes key = read_file(arguments[1]);
  const Bytes updates[2] = {read_file(arguments[2]), read_file(arguments[3])};
  const Bytes packed[2] = {read_file(arguments[4]), read_file(arguments[5])};
  try_attempts(key, updates);
  try_hostile(key, updates, packed);
  int cuts = 0;
  for (int way = 0; way < 4; ++way) {
    for (unsigned seed = 0; seed < 2; ++seed) {
      const Bytes* sent = way < 2 ? nullptr : packed;
      for (int operation = 1; cut(key, updates, sent, way % 2 != 0, operation, seed); ++operation) ++cuts;
    }
  }
  printf("%d\n", cuts);
  return 0;
}
