/* Constants are the named real numbers in the stated format, rounded to nearest. */
#include "exponential.h"

#include "fixed_point.h"

/* exp(x) in Q0.31 for x in [-1/4, 0) in Q0.31: a fourth-order Taylor series around -1/8. */
static int32_t exp_of_small(int32_t x) {
  const int32_t kExpOfMinusEighth = 1895147668; /* exp(-1/8) in Q0.31 */
  const int32_t kThird = 715827883;             /* 1/3 in Q0.31 */
  const int32_t kEighth = 1 << 28;              /* 1/8 in Q0.31 */
  const int32_t y = x + kEighth;
  const int32_t y2 = multiply_q31(y, y);
  const int32_t y3 = multiply_q31(y2, y);
  const int32_t y4_over_4 = divide_by_power_of_two(multiply_q31(y2, y2), 2);
  const int32_t rest = divide_by_power_of_two(multiply_q31(y4_over_4 + y3, kThird) + y2, 1);
  return kExpOfMinusEighth + multiply_q31(kExpOfMinusEighth, y + rest);
}

/* exp() of the part below 1/4 times exp(-2^k) for each bit of the rest. */
int32_t tinyml_nn_exp_of_negative(int32_t x) {
  static const int32_t kExpOfMinusPower[] = {1672461947, 1302514674, 790015084, 290630308,
                                             39332535,   720401,     242}; /* exp(-2^k), k = -2..4 */
  const int32_t kQuarter = 1 << (kExponentFractionBits - 2);
  if (x == 0) return INT32_MAX;
  const int32_t fraction = (x & (kQuarter - 1)) - kQuarter;
  const int32_t rest = fraction - x;
  int32_t result = exp_of_small(shift_left_saturated(fraction, 5));
  for (int k = 0; k < 7; ++k) {
    if (rest & (kQuarter << k)) result = multiply_q31(result, kExpOfMinusPower[k]);
  }
  return result;
}

/* Three Newton steps from 48/17 - 32/17 d, d = (1 + x) / 2. */
int32_t tinyml_nn_reciprocal_of_one_plus(int32_t x) {
  const int32_t k48Over17 = 1515870810;       /* Q2.29 */
  const int32_t kMinus32Over17 = -1010580540; /* Q2.29 */
  const int32_t kOne = 1 << 29;               /* Q2.29 */
  const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
  int32_t estimate = k48Over17 + multiply_q31(half, kMinus32Over17);
  for (int step = 0; step < 3; ++step) {
    const int32_t error = kOne - multiply_q31(half, estimate);
    estimate += shift_left_saturated(multiply_q31(estimate, error), 2);
  }
  return shift_left_saturated(estimate, 1);
}

int32_t tinyml_nn_sum_of_exponentials(const tinyml_nn_softmax_params* params, const int8_t* row,
                                      int32_t maximum) {
  int32_t sum = 0;
  for (int32_t i = 0; i < params->depth; ++i) {
    const int32_t difference = row[i] - maximum;
    if (difference < params->diff_min) continue;
    const int32_t exponent = rescale(difference, params->multiplier, params->shift);
    sum += divide_by_power_of_two(tinyml_nn_exp_of_negative(exponent), kSumIntegerBits);
  }
  return sum;
}
