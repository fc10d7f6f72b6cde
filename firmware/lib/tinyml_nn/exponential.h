/* exp() and 1/x in fixed point. Qm.n has m integer and n fractional bits. */
#ifndef TINYML_NN_EXPONENTIAL_H
#define TINYML_NN_EXPONENTIAL_H

#include "fixed_point.h"
#include "tinyml_nn.h"

enum { kExponentFractionBits = 26, kSumIntegerBits = 12 };

/* exp(x) in Q0.31 for x <= 0 in Q5.26. */
int32_t tinyml_nn_exp_of_negative(int32_t x);

/* 1 / (1 + x) in Q0.31 for x in [0, 1) in Q0.31. */
int32_t tinyml_nn_reciprocal_of_one_plus(int32_t x);

/* The sum of exp(value - maximum) of a row in Q12.19; at least exp(0) = 1. */
int32_t tinyml_nn_sum_of_exponentials(const tinyml_nn_softmax_params* params, const int8_t* row,
                                      int32_t maximum);

static inline int leading_zeros(uint32_t x) {
  int count = 0;
  for (; !(x & UINT32_C(0x80000000)); x <<= 1) ++count;
  return count;
}

static inline int32_t row_maximum(const int8_t* row, int32_t depth) {
  int32_t maximum = INT8_MIN;
  for (int32_t i = 0; i < depth; ++i) {
    if (row[i] > maximum) maximum = row[i];
  }
  return maximum;
}

#endif /* TINYML_NN_EXPONENTIAL_H */
