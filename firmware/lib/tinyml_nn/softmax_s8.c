#include "exponential.h"
#include "fixed_point.h"
#include "tinyml_nn.h"

/* What the probabilities of a row have in common. */
typedef struct {
  int32_t maximum;
  int32_t scale;
  int shift;
} Row;

/* For probabilities of so many bits. */
static Row row_of(const tinyml_nn_softmax_params* params, const int8_t* input, int bits) {
  Row row = {.maximum = row_maximum(input, params->depth)};
  const int32_t sum = tinyml_nn_sum_of_exponentials(params, input, row.maximum);
  const int headroom = leading_zeros((uint32_t)sum);
  row.scale = tinyml_nn_reciprocal_of_one_plus((int32_t)(((uint32_t)sum << headroom) & INT32_MAX));
  row.shift = kSumIntegerBits - headroom + 31 - bits;
  return row;
}

static int32_t probability(const tinyml_nn_softmax_params* params, const Row* row, int8_t value) {
  const int32_t difference = value - row->maximum;
  if (difference < params->diff_min) return 0;
  const int32_t exponent = rescale(difference, params->multiplier, params->shift);
  return divide_by_power_of_two(multiply_q31(row->scale, tinyml_nn_exp_of_negative(exponent)), row->shift);
}

void tinyml_nn_softmax_s8(const tinyml_nn_softmax_params* params, const int8_t* input, int8_t* output) {
  const int8_t* const end = input + params->rows * params->depth;
  for (; input != end; input += params->depth, output += params->depth) {
    const Row row = row_of(params, input, 8);
    for (int32_t i = 0; i < params->depth; ++i) {
      output[i] = (int8_t)clamp_s8(probability(params, &row, input[i]) + INT8_MIN);
    }
  }
}

void tinyml_nn_softmax_s8_s16(const tinyml_nn_softmax_params* params, const int8_t* input, int16_t* output) {
  const int8_t* const end = input + params->rows * params->depth;
  for (; input != end; input += params->depth, output += params->depth) {
    const Row row = row_of(params, input, 16);
    for (int32_t i = 0; i < params->depth; ++i) {
      output[i] = (int16_t)clamp_s16(probability(params, &row, input[i]) + INT16_MIN);
    }
  }
}
