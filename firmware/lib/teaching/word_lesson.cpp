#include "word_lesson.h"

#include <string.h>

#include "crc32.h"
#include "row_training.h"

namespace {

constexpr int32_t kDisagrees = 7373;  // a cosine of 0.45
constexpr int32_t kLeastGap = 2048;   // a logit of 1
constexpr size_t kChanceOf = 1000;
constexpr int kMeanBits = 8;

// Of practise(): times through all vectors, a step of 1/16, windows of other sound after each vector.
constexpr size_t kEpochs = 10, kOthersEach = 8, kOtherStride = 617;
constexpr unsigned kRateBits = 4;

uint64_t magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

int8_t with_sign_of(int64_t value, uint64_t size) {
  const uint64_t most = value < 0 ? 128 : 127;
  const int32_t clamped = static_cast<int32_t>(size < most ? size : most);
  return static_cast<int8_t>(value < 0 ? -clamped : clamped);
}

// Rounded down.
uint64_t square_root(uint64_t value) {
  uint64_t root = 0;
  for (uint64_t bit = UINT64_C(1) << 31; bit > 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= value) {
      root += bit;
    }
  }
  return root;
}

// The unit vector of `sums`, rounded half away from zero.
void direct(const int64_t* sums, int8_t* unit) {
  uint64_t squares = 0;
  for (size_t i = 0; i < kWordValues; ++i) {
    squares += static_cast<uint64_t>(sums[i] * sums[i]);
  }
  const uint64_t length = square_root(squares);
  const uint64_t divisor = length > 0 ? length : 1;
  for (size_t i = 0; i < kWordValues; ++i) {
    unit[i] = with_sign_of(sums[i], (256 * magnitude(sums[i]) + divisor) / (2 * divisor));
  }
}

int32_t dot(const int8_t* a, const int8_t* b) {
  int32_t sum = 0;
  for (size_t i = 0; i < kWordValues; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

// Of a / 4, towards minus infinity.
int64_t quarter(int64_t a) {
  return a >= 0 ? a / 4 : -((3 - a) / 4);
}

char small(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// Keeps the largest values that were added, the largest first.
template <size_t kCapacity>
class Largest {
 public:
  explicit Largest(size_t count) : count_(count < kCapacity ? count : kCapacity) {}

  void add(int32_t value) {
    if (used_ == count_ && value <= values_[used_ - 1]) {
      return;
    }
    size_t at = used_ < count_ ? used_++ : used_ - 1;
    for (; at > 0 && values_[at - 1] < value; --at) {
      values_[at] = values_[at - 1];
    }
    values_[at] = value;
  }

  int32_t smallest() const { return used_ > 0 ? values_[used_ - 1] : INT32_MIN / 4; }

 private:
  size_t count_;
  size_t used_ = 0;
  int32_t values_[kCapacity] = {};
};

}  // namespace

int32_t cosine(const WordVector a, const WordVector b) {
  return dot(a, b);
}

bool WordLesson::begin(const LessonTables& tables, const char* name, size_t length) {
  if (length == 0 || length >= kWordNameBytes) {
    return false;
  }
  tables_ = &tables;
  memset(name_, 0, sizeof(name_));
  char letters[kWordNameBytes];
  for (size_t i = 0; i < length; ++i) {
    name_[i] = name[i];
    letters[i] = small(name[i]);
  }
  name_crc_ = crc32(letters, length);
  vectors_ = 0;
  return true;
}

void WordLesson::add(const int8_t* unit) {
  if (vectors_ < kMostTakes * kShifts) {
    memcpy(units_[vectors_++], unit, kWordValues);
  }
}

WordLesson::Outcome WordLesson::finish(TaughtWord* word, size_t* odd_take) const {
  if (find_odd(odd_take)) {
    return Outcome::kTakesDisagree;
  }
  memset(word, 0, sizeof(*word));
  memcpy(word->name, name_, sizeof(name_));
  word->takes = static_cast<uint32_t>(takes());
  Sums sums;
  sum_of(0, vectors_, sums);
  direct(sums, word->prototype);
  for (size_t noise = 0; noise < LessonTables::kNoises; ++noise) {
    for (size_t i = 0; i < vectors_; ++i) {
      WordVector varied;
      vary(i, noise, varied);
      for (size_t k = 0; k < kWordValues; ++k) {
        sums[k] += varied[k];
      }
    }
  }
  WordVector direction;
  direct(sums, direction);
  set_weights(direction, word->weights);
  const int64_t by_chance = chance(word->weights), by_takes = reached(word->weights);
  word->bias = static_cast<int32_t>(-quarter(3 * by_chance + by_takes));
  return by_takes - by_chance < kLeastGap ? Outcome::kLikeOtherSound : Outcome::kLearnt;
}

void WordLesson::practise(RowTraining* training, size_t label) const {
  size_t other = 0;
  for (size_t i = 0; i < kEpochs * vectors_; ++i) {
    training->step(units_[i % vectors_], label, kRateBits);
    for (size_t k = 0; k < kOthersEach && tables_->windows > 0; ++k) {
      other = (other + kOtherStride) % tables_->windows;
      if (!holds_word(other)) {
        training->step(tables_->others[other], RowTraining::kUnknown, kRateBits);
      }
    }
  }
}

void WordLesson::sum_of(size_t first, size_t count, Sums sums) const {
  memset(sums, 0, sizeof(Sums));
  for (size_t i = first; i < first + count; ++i) {
    for (size_t k = 0; k < kWordValues; ++k) {
      sums[k] += units_[i][k];
    }
  }
}

// Each take against the direction of the others.
bool WordLesson::find_odd(size_t* odd_take) const {
  Sums all, others;
  WordVector each[kMostTakes];
  for (size_t take = 0; take < takes(); ++take) {
    sum_of(take * kShifts, kShifts, all);
    direct(all, each[take]);
  }
  for (size_t take = 0; take < takes(); ++take) {
    memset(others, 0, sizeof(others));
    for (size_t other = 0; other < takes(); ++other) {
      for (size_t k = 0; k < kWordValues; ++k) {
        others[k] += other != take ? each[other][k] : 0;
      }
    }
    WordVector together;
    direct(others, together);
    if (dot(each[take], together) < kDisagrees) {
      *odd_take = take;
      return true;
    }
  }
  return false;
}

void WordLesson::vary(size_t vector, size_t noise, int8_t* varied) const {
  Sums mapped;
  for (size_t row = 0; row < kWordValues; ++row) {
    const int16_t* map = tables_->noise_maps[noise][row];
    int32_t sum = tables_->noise_offsets[noise][row];
    for (size_t k = 0; k < kWordValues; ++k) {
      sum += map[k] * units_[vector][k];
    }
    mapped[row] = sum;
  }
  direct(mapped, varied);
}

void WordLesson::set_weights(const int8_t* direction, int8_t* weights) const {
  Sums row;
  uint64_t most = 1;
  for (size_t i = 0; i < kWordValues; ++i) {
    row[i] = 0;
    for (size_t k = 0; k < kWordValues; ++k) {
      const int32_t away = direction[k] * (1 << kMeanBits) - tables_->mean[k];
      row[i] += static_cast<int64_t>(tables_->inverse[i][k]) * away;
    }
    most = magnitude(row[i]) > most ? magnitude(row[i]) : most;
  }
  for (size_t i = 0; i < kWordValues; ++i) {
    weights[i] = with_sign_of(row[i], (254 * magnitude(row[i]) + most) / (2 * most));
  }
}

// What one of kChanceOf windows of other sound exceeds.
int32_t WordLesson::chance(const int8_t* weights) const {
  size_t count = 0;
  for (size_t i = 0; i < tables_->windows; ++i) {
    count += holds_word(i) ? 0 : 1;
  }
  Largest<8> largest(1 + count / kChanceOf);
  for (size_t i = 0; i < tables_->windows; ++i) {
    if (!holds_word(i)) {
      largest.add(dot(tables_->others[i], weights));
    }
  }
  return largest.smallest();
}

// The median of the takes, in quiet and in noise.
int32_t WordLesson::reached(const int8_t* weights) const {
  constexpr size_t kMost = (1 + LessonTables::kNoises) * kMostTakes * kShifts;
  const size_t count = (1 + LessonTables::kNoises) * vectors_;
  Largest<kMost> largest(count - count / 2);
  for (size_t i = 0; i < vectors_; ++i) {
    largest.add(dot(units_[i], weights));
    for (size_t noise = 0; noise < LessonTables::kNoises; ++noise) {
      WordVector varied;
      vary(i, noise, varied);
      largest.add(dot(varied, weights));
    }
  }
  return largest.smallest();
}

bool WordLesson::holds_word(size_t window) const {
  for (size_t i = 0; i < LessonTables::kHeard; ++i) {
    const uint16_t number = tables_->heard[window][i];
    if (number != LessonTables::kNoWord && tables_->names[number] == name_crc_) {
      return true;
    }
  }
  return false;
}
