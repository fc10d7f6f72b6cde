#include "exponential.h"
#include "fixed_point.h"
#include "tinyml_nn.h"

enum { kLogFractionBits = 26, kOutputShift = 22 }; /* from Q5.26 to the output's 1/16 */

static int32_t half_sum(int32_t a, int32_t b) {
  const int64_t sum = (int64_t)a + b;
  return (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
}

/* log(x) in Q5.26 for x >= 1 in Q12.19: x = 2^power * r, and a rational function of r around 2^(-1/4). The
 * power is an odd multiple of 1/4: of the halves of an octave, x is taken to the one in which r is near. */
static int32_t log_of_sum(int32_t x) {
  const int32_t kLog2 = 1488522236;             /* log(2) in Q0.31 */
  const int32_t kRootOfHalf = 1518500250;       /* 2^(-1/2) in Q0.31 */
  const int32_t kFourthRootOfHalf = 1805811301; /* 2^(-1/4) in Q0.31 */
  const int32_t kCubic = 117049297;             /* 11/240 * 2^(1/4) in Q0.31 */
  const int32_t kSquare = 127690142;            /* 1/20 * 2^(1/4) in Q0.31 */
  const int32_t kConstant = 1057819769;         /* 2 * 2^(-1/4) - 2^(1/4) in Q0.31 */
  const int32_t kLinear = 638450708;            /* 1/4 * 2^(1/4) in Q0.31 */
  enum { kPowerIntegerBits = 6, kPowerFractionBits = 25, kQuarter = 1 << (kPowerFractionBits - 2) };

  const int zeros = leading_zeros((uint32_t)x);
  const int32_t first = shift_left_saturated(x, zeros - 1);
  const int32_t first_r = shift_left_saturated(multiply_q31(first, kRootOfHalf), 1);
  const int32_t first_power = (kSumIntegerBits - zeros) * (1 << kPowerFractionBits) + kQuarter;

  const int shift = leading_zeros((uint32_t)multiply_q31(x, kRootOfHalf)) - 1;
  const int32_t second_r = shift_left_saturated(x, shift);
  const int32_t second_power = (kSumIntegerBits - shift) * (1 << kPowerFractionBits) - kQuarter;

  const int32_t r = first_r < second_r ? first_r : second_r;
  const int32_t power = first_power > second_power ? first_power : second_power;

  const int32_t p = half_sum(r, kFourthRootOfHalf);
  const int32_t q = 2 * (r - kFourthRootOfHalf);
  const int32_t q2 = multiply_q31(q, q);
  const int32_t numerator = multiply_q31(q, r) + multiply_q31(multiply_q31(q, q2), kCubic);
  const int32_t factor = kConstant + q + multiply_q31(kSquare, q2);
  const int32_t denominator_less_one = multiply_q31(p, factor) + multiply_q31(kLinear, q);
  const int32_t log_of_r = multiply_q31(divide_by_power_of_two(numerator, kPowerIntegerBits),
                                        tinyml_nn_reciprocal_of_one_plus(denominator_less_one));
  return shift_left_saturated(multiply_q31(power, kLog2) + log_of_r, kLogFractionBits - kPowerFractionBits);
}

static void log_softmax_row(const tinyml_nn_log_softmax_params* params, const int8_t* input, int8_t* output) {
  const tinyml_nn_softmax_params* softmax = &params->softmax;
  const int32_t maximum = row_maximum(input, softmax->depth);
  const int32_t log_sum = log_of_sum(tinyml_nn_sum_of_exponentials(softmax, input, maximum));
  /* Differences up to this one would leave Q5.26. */
  int32_t limit = rescale(log_sum + INT32_MIN, params->inverse_multiplier, params->inverse_shift);
  if (limit < softmax->diff_min - 1) limit = softmax->diff_min - 1;
  for (int32_t i = 0; i < softmax->depth; ++i) {
    const int32_t difference = input[i] - maximum;
    int32_t value = INT8_MIN;
    if (difference > limit) {
      const int32_t exponent = rescale(difference, softmax->multiplier, softmax->shift);
      value = divide_by_power_of_two(exponent - log_sum, kOutputShift) + INT8_MAX;
    }
    output[i] = (int8_t)clamp_s8(value);
  }
}

void tinyml_nn_log_softmax_s8(const tinyml_nn_log_softmax_params* params, const int8_t* input,
                              int8_t* output) {
  const int32_t depth = params->softmax.depth;
  for (int32_t row = 0; row < params->softmax.rows; ++row) {
    log_softmax_row(params, input + row * depth, output + row * depth);
  }
}
