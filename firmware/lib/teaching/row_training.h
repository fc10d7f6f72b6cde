// Trains the last layer, the rows of words, by softmax regression with one vector at a time, on a network
// that stays as it is: what tinyml_cli/teaching/row_training.py gives for the same vectors, byte for byte.
//
// "Unknown" has no row: its logit is 0. Weights are kept 256 times finer than rows have them, so that small
// steps add up.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "word_lesson.h"

class RowTraining {
 public:
  static constexpr size_t kMostRows = 30;
  static constexpr size_t kUnknown = kMostRows;  // as the label of a vector

  // Forgets all rows.
  void begin() { rows_ = 0; }

  // Adds a row to be trained; false: there is no room.
  bool add(const int8_t* weights, int32_t bias);

  // One step: takes a unit vector and the number of its row, or kUnknown. The error of each row is its
  // probability minus what it should be; the step is 2^-`rate_bits` times error times vector.
  void step(const int8_t* unit, size_t label, unsigned rate_bits);

  // A row as it is kept, rounded half up.
  void row(size_t index, int8_t* weights, int32_t* bias) const;

 private:
  void find_errors(const int8_t* unit, size_t label);
  int32_t logit(size_t row, const int8_t* unit) const;

  size_t rows_ = 0;
  int16_t fine_[kMostRows][kWordValues] = {};  // in 2^-12
  int32_t fine_bias_[kMostRows] = {};          // in 2^-19
  int32_t errors_[kMostRows] = {};             // in 2^-15
};
