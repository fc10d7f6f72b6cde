#include "row_training.h"

namespace {

constexpr int32_t kOne = 1 << 15;  // a probability of 1
constexpr int kFineBits = 8;
constexpr int kLogitBits = 19;
constexpr int32_t kMostFine = 127 << kFineBits;
constexpr int32_t kMostBias = 1 << 29;

int32_t clamp(int32_t value, int32_t most) {
  return value < -most ? -most : value > most ? most : value;
}

// value / 2^bits, rounded half up; every compiler here shifts the sign in, as C++20 says.
int32_t shifted(int32_t value, unsigned bits) {
  return (value + ((1 << bits) >> 1)) >> bits;
}

// e^-distance in 2^-15, for a distance in 2^-19: 2^-(whole + part), by a cubic of the part.
int32_t decay(int64_t distance) {
  constexpr int64_t kLog2E = 94548;  // in 2^-16
  const int64_t power = (distance * kLog2E) >> 16;
  const int64_t whole = power >> kLogitBits;
  if (whole > 15) {
    return 0;
  }
  const int32_t part = static_cast<int32_t>(power & ((1 << kLogitBits) - 1)) >> 4;
  const int32_t cubic = 7872 - ((part * 1543) >> 15);
  const int32_t square = 22713 - ((part * cubic) >> 15);
  return (kOne - ((part * square) >> 15)) >> whole;
}

}  // namespace

bool RowTraining::add(const int8_t* weights, int32_t bias) {
  if (rows_ == kMostRows) {
    return false;
  }
  for (size_t i = 0; i < kWordValues; ++i) {
    fine_[rows_][i] = static_cast<int16_t>(clamp(weights[i] * (1 << kFineBits), kMostFine));
  }
  fine_bias_[rows_] = clamp(bias, kMostBias >> kFineBits) * (1 << kFineBits);
  ++rows_;
  return true;
}

void RowTraining::step(const int8_t* unit, size_t label, unsigned rate_bits) {
  find_errors(unit, label);
  for (size_t row = 0; row < rows_; ++row) {
    const int32_t error = errors_[row];
    for (size_t i = 0; i < kWordValues; ++i) {
      const int32_t change = shifted(error * unit[i], 10 + rate_bits);
      fine_[row][i] = static_cast<int16_t>(clamp(fine_[row][i] - change, kMostFine));
    }
    fine_bias_[row] = clamp(fine_bias_[row] - shifted(error * 16, rate_bits), kMostBias);
  }
}

void RowTraining::row(size_t index, int8_t* weights, int32_t* bias) const {
  for (size_t i = 0; i < kWordValues; ++i) {
    weights[i] = static_cast<int8_t>(clamp(shifted(fine_[index][i], kFineBits), 127));
  }
  *bias = shifted(fine_bias_[index], kFineBits);
}

int32_t RowTraining::logit(size_t row, const int8_t* unit) const {
  int32_t sum = fine_bias_[row];
  for (size_t i = 0; i < kWordValues; ++i) {
    sum += fine_[row][i] * unit[i];
  }
  return sum;
}

// The softmax of all logits, that of "unknown" included, minus the label.
void RowTraining::find_errors(const int8_t* unit, size_t label) {
  int32_t highest = 0;
  for (size_t row = 0; row < rows_; ++row) {
    errors_[row] = logit(row, unit);
    highest = errors_[row] > highest ? errors_[row] : highest;
  }
  int32_t total = decay(highest);
  for (size_t row = 0; row < rows_; ++row) {
    errors_[row] = decay(static_cast<int64_t>(highest) - errors_[row]);
    total += errors_[row];
  }
  for (size_t row = 0; row < rows_; ++row) {
    errors_[row] = errors_[row] * kOne / total - (row == label ? kOne : 0);
  }
}
