/* SOFTMAX on int16 activations by two tables, as TensorFlow Lite interpolates them. */
#include "fixed_point.h"
#include "tinyml_nn_s16.h"

static int32_t interpolate(const int16_t* table, int32_t value) {
  const int32_t at = 256 + (value >> 7), rest = value & 0x7F;
  /* The difference wraps as an int16. */
  const int32_t slope = (int16_t)(table[at + 1] - table[at]);
  return (int16_t)(table[at] + ((slope * rest + 64) >> 7));
}

static int32_t leading_zeros(uint32_t x) {
  int32_t count = 0;
  for (; count < 32 && !(x >> 31); x <<= 1) ++count;
  return count;
}

static void softmax_row(const tinyml_nn_softmax_s16_params* p, const int16_t* input, int16_t* output) {
  int32_t largest = INT16_MIN, sum = 0;
  for (int32_t i = 0; i < p->depth; ++i) {
    if (input[i] > largest) largest = input[i];
  }
  for (int32_t i = 0; i < p->depth; ++i) {
    const int32_t scaled = rescale(input[i] - largest, p->multiplier, p->shift);
    const int32_t exponential = interpolate(p->exponential, clamp_s16(scaled + INT16_MAX));
    output[i] = (int16_t)exponential;
    sum += exponential;
  }
  /* The sum is 2^(17 - headroom) * (1 + x) with x in 0..1. */
  const int32_t headroom = leading_zeros((uint32_t)sum);
  const int32_t normal = (int32_t)((((int64_t)sum << (headroom - 1)) + (1 << 13)) >> 14);
  const int32_t inverse = interpolate(p->inverse, clamp_s16(normal - (1 << 15) - (1 << 16)));
  const int32_t shift = 31 - headroom;
  for (int32_t i = 0; i < p->depth; ++i) {
    const int32_t value = (int32_t)(((int64_t)output[i] * inverse + (1 << (shift - 1))) >> shift);
    output[i] = (int16_t)(value < 0 ? 0 : value > INT16_MAX ? INT16_MAX : value);
  }
}

void tinyml_nn_softmax_s16(const tinyml_nn_softmax_s16_params* params, const int16_t* input,
                           int16_t* output) {
  for (int32_t row = 0; row < params->rows; ++row) {
    softmax_row(params, input + row * params->depth, output + row * params->depth);
  }
}
