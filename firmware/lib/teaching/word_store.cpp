#include "word_store.h"

#include <string.h>

#include "crc32.h"

namespace {

constexpr uint32_t kMagic = 0x44524F57;  // "WORD"

}  // namespace

void WordStore::begin(FlashPages* flash, uint32_t network) {
  flash_ = flash != nullptr && flash->bytes() >= kFlashBytes ? flash : nullptr;
  network_ = network;
  active_ = -1;
  for (int page = 0; page < 2 && flash_ != nullptr; ++page) {
    if (is_valid(page) && (active_ < 0 || header(page).generation > header(active_).generation)) {
      active_ = page;
    }
  }
  list();
}

size_t WordStore::find(const char* name, size_t length) const {
  for (size_t i = 0; i < count_; ++i) {
    if (strlen(word(i).name) == length && memcmp(word(i).name, name, length) == 0) {
      return i;
    }
  }
  return count_;
}

bool WordStore::add(const TaughtWord& word) {
  if (is_full() || !make_room() || !write_record(active_, used_, word)) {
    list();
    return false;
  }
  list();
  return true;
}

bool WordStore::remove(size_t index) {
  const bool done = forget(places_[index]);
  list();
  return done;
}

bool WordStore::forget(size_t index) {
  const uint32_t forgotten = 0;
  return flash_->write(place(active_, index) + offsetof(Record, kept), &forgotten, sizeof(forgotten));
}

bool WordStore::replace(size_t index, const TaughtWord& word) {
  const bool done = index < count_ && make_room() && write_record(active_, used_, word);
  list();
  return done;
}

const WordStore::Header& WordStore::header(int page) const {
  return *reinterpret_cast<const Header*>(flash_->data() + start(page));
}

const WordStore::Record& WordStore::record(int page, size_t index) const {
  return *reinterpret_cast<const Record*>(flash_->data() + place(page, index));
}

bool WordStore::is_valid(int page) const {
  const Header& found = header(page);
  return found.magic == kMagic && found.network == network_ &&
         found.crc == crc32(&found, offsetof(Header, crc));
}

// Finds the words of the active page, and forgets those that another of the same name replaced. A record that
// was begun is spent, whatever it holds.
void WordStore::list() {
  count_ = 0;
  used_ = 0;
  for (size_t i = 0; i < kRecords && active_ >= 0; ++i) {
    const Record& found = record(active_, i);
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&found);
    bool is_erased = true;
    for (size_t k = 0; k < sizeof(Record); ++k) {
      is_erased = is_erased && bytes[k] == 0xFF;
    }
    used_ = is_erased ? used_ : i + 1;
    const bool is_word = found.kept == kErased && found.crc == crc32(&found.word, sizeof(TaughtWord));
    if (is_erased || !is_word) {
      continue;
    }
    const size_t same = find(found.word.name, strnlen(found.word.name, kWordNameBytes));
    if (same < count_) {
      forget(places_[same]);
      places_[same] = static_cast<uint8_t>(i);
    } else if (count_ < kMostWords) {
      places_[count_++] = static_cast<uint8_t>(i);
    }
  }
}

bool WordStore::write_record(int page, size_t index, const TaughtWord& word) {
  const uint32_t crc = crc32(&word, sizeof(word));
  const size_t at = place(page, index);
  return flash_->write(at, &word, sizeof(word)) &&
         flash_->write(at + offsetof(Record, crc), &crc, sizeof(crc)) &&
         memcmp(&record(page, index).word, &word, sizeof(word)) == 0 && record(page, index).crc == crc;
}

bool WordStore::write_header(int page, uint32_t generation) {
  Header made = {kMagic, network_, generation, 0};
  made.crc = crc32(&made, offsetof(Header, crc));
  return flash_->write(start(page), &made, sizeof(made)) && is_valid(page);
}

// Copies the words to the other page if the active one has no record left, or there is none.
bool WordStore::make_room() {
  if (active_ >= 0 && used_ < kRecords) {
    return true;
  }
  const int other = active_ == 0 ? 1 : 0;
  if (!flash_->erase(start(other))) {
    return false;
  }
  for (size_t i = 0; i < count_; ++i) {
    if (!write_record(other, i, word(i))) {
      return false;
    }
  }
  const uint32_t generation = active_ >= 0 ? header(active_).generation + 1 : 1;
  if (!write_header(other, generation)) {
    return false;
  }
  active_ = other;
  list();
  return true;
}
