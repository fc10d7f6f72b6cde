// A word's row of weights from the unit vectors of its takes, in whole numbers: the bytes that
// tinyml_cli/teaching/row.py gives for the same vectors.
//
// Linear discriminant analysis: the row is the direction of the word, away from the mean of other sound, by
// the inverse of other sound's covariance. The word's vectors are those of its takes, and what noise would
// make of each by linear maps. The limit lies between what other sound reaches by chance and what the takes
// reach.
#pragma once

#include <stddef.h>
#include <stdint.h>

constexpr size_t kWordValues = 64;
constexpr size_t kWordNameBytes = 44;  // with the 0 at its end

using WordVector = int8_t[kWordValues];

// Vectors are in 1/128, weights in 1/16, the bias in 1/2048.
struct TaughtWord {
  char name[kWordNameBytes];
  WordVector prototype;
  WordVector weights;
  int32_t bias;
  uint32_t takes;
};

// What lessons know about the network.
struct LessonTables {
  static constexpr size_t kNoises = 2;
  static constexpr size_t kHeard = 3;
  static constexpr uint16_t kNoWord = 0xFFFF;

  const WordVector* others;         // of other sound
  const uint16_t (*heard)[kHeard];  // numbers of the words that each may hold, kNoWord for none
  size_t windows;                   // of both
  const uint32_t* names;            // CRC-32 of each word's name in small letters
  const int16_t (*noise_maps)[kWordValues][kWordValues];  // in 2^-14
  const int32_t (*noise_offsets)[kWordValues];            // in 2^-21
  const int16_t* mean;                                    // of other sound, in 2^-15
  const int16_t (*inverse)[kWordValues];                  // of its covariance, in any unit
};

// The cosine of two unit vectors, in 1/16384.
int32_t cosine(const WordVector a, const WordVector b);

class RowTraining;

class WordLesson {
 public:
  static constexpr size_t kFewestTakes = 3, kMostTakes = 10, kShifts = 5;

  enum class Outcome : uint8_t { kLearnt, kTakesDisagree, kLikeOtherSound };

  // Begins anew; false: the name does not fit. `tables` must outlive the lesson.
  bool begin(const LessonTables& tables, const char* name, size_t length);

  // Takes one vector after another, kShifts of each take, at most kMostTakes takes.
  void add(const int8_t* unit);
  size_t takes() const { return vectors_ / kShifts; }
  bool is_between_takes() const { return vectors_ % kShifts == 0; }

  // The word of all takes; with kTakesDisagree `odd_take` is the one, from 0, that is unlike the others.
  Outcome finish(TaughtWord* word, size_t* odd_take) const;

  // The take, from 0, that is unlike the others; false: there is none.
  bool find_odd(size_t* odd_take) const;

  // Trains rows by all takes of the row `label`, and by other sound in between so that nothing else is
  // taken for it.
  void practise(RowTraining* training, size_t label) const;

  const char* name() const { return name_; }

 private:
  using Sums = int64_t[kWordValues];

  void sum_of(size_t first, size_t count, Sums sums) const;
  void vary(size_t vector, size_t noise, int8_t* varied) const;
  void set_weights(const int8_t* direction, int8_t* weights) const;
  int32_t chance(const int8_t* weights) const;
  int32_t reached(const int8_t* weights) const;
  bool holds_word(size_t window) const;

  const LessonTables* tables_ = nullptr;
  char name_[kWordNameBytes] = {};
  uint32_t name_crc_ = 0;
  size_t vectors_ = 0;
  WordVector units_[kMostTakes * kShifts] = {};
};
