#include "exponential.h"
#include "fixed_point.h"
#include "tinyml_nn.h"

static void softmax_row(const tinyml_nn_softmax_params* params, const int8_t* input, int8_t* output) {
  const int32_t maximum = row_maximum(input, params->depth);
  const int32_t sum = sum_of_exponentials(params, input, maximum);
  const int headroom = leading_zeros((uint32_t)sum);
  const int32_t scale = reciprocal_of_one_plus((int32_t)(((uint32_t)sum << headroom) & INT32_MAX));
  const int shift = kSumIntegerBits - headroom + 31 - 8;
  for (int32_t i = 0; i < params->depth; ++i) {
    const int32_t difference = input[i] - maximum;
    int32_t probability = 0;
    if (difference >= params->diff_min) {
      const int32_t exponent = rescale(difference, params->multiplier, params->shift);
      probability = divide_by_power_of_two(multiply_q31(scale, exp_of_negative(exponent)), shift);
    }
    output[i] = (int8_t)clamp_s8(probability + INT8_MIN);
  }
}

void tinyml_nn_softmax_s8(const tinyml_nn_softmax_params* params, const int8_t* input, int8_t* output) {
  for (int32_t row = 0; row < params->rows; ++row) {
    softmax_row(params, input + row * params->depth, output + row * params->depth);
  }
}
