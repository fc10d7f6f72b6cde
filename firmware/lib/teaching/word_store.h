// Taught words in two pages of flash. A page is a header and records of one size, one behind another; a word
// is one record, and forgetting it clears one word of flash in its record. When a page is full, what is left
// is copied to the other one, whose header is written last.
//
// Of two records of one name the later one counts.
//
// Whenever power fails, the words are what they were before or after the step: a record counts once its
// checksum is written, a page once its header is. Words of another network do not count.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash_pages.h"
#include "word_lesson.h"

class WordStore {
 public:
  static constexpr size_t kFlashBytes = 2 * FlashPages::kPageBytes;
  static constexpr size_t kMostWords = 16;

  // `flash` may be nullptr: then nothing can be kept. It must outlive the store.
  void begin(FlashPages* flash, uint32_t network);

  size_t count() const { return count_; }
  const TaughtWord& word(size_t index) const { return record(active_, places_[index]).word; }

  // The word's index; count(): it is not there.
  size_t find(const char* name, size_t length) const;

  bool is_full() const { return flash_ == nullptr || count_ == kMostWords; }

  // False: the flash does not hold what was written.
  bool add(const TaughtWord& word);
  bool remove(size_t index);

  // Puts a word in the place of the one of the same name: power lost meanwhile leaves one of the two.
  bool replace(size_t index, const TaughtWord& word);

  // How often pages were erased since the first word: their wear.
  uint32_t erasures() const { return active_ < 0 ? 0 : header(active_).generation; }

 private:
  static constexpr uint32_t kErased = 0xFFFFFFFFu;

  struct Header {
    uint32_t magic;
    uint32_t network;
    uint32_t generation;
    uint32_t crc;
  };
  struct Record {
    TaughtWord word;
    uint32_t crc;   // of the word
    uint32_t kept;  // 0 once it is forgotten
    uint32_t spare;
  };
  static constexpr size_t kRecords = (FlashPages::kPageBytes - sizeof(Header)) / sizeof(Record);
  static_assert(sizeof(TaughtWord) == 180 && sizeof(Record) == 192 && kRecords > kMostWords,
                "the layout that boards have in flash");

  size_t start(int page) const { return static_cast<size_t>(page) * FlashPages::kPageBytes; }
  size_t place(int page, size_t index) const { return start(page) + sizeof(Header) + index * sizeof(Record); }
  const Header& header(int page) const;
  const Record& record(int page, size_t index) const;
  bool is_valid(int page) const;
  void list();
  bool forget(size_t index);  // of a record
  bool write_header(int page, uint32_t generation);
  bool write_record(int page, size_t index, const TaughtWord& word);
  bool make_room();

  FlashPages* flash_ = nullptr;
  uint32_t network_ = 0;
  int active_ = -1;
  size_t used_ = 0;  // records of the active page, damaged and forgotten ones included
  size_t count_ = 0;
  uint8_t places_[kMostWords] = {};
};
