/* From an int32 accumulator to an int8 output, rounded twice as TensorFlow Lite rounds.
 *
 * TensorFlow Lite computes a * M / 2^31 rounded to nearest, then divides by 2^shift, halves away from zero,
 * then adds the output's zero point. Here the accumulator is doubled, so that the first step is a single
 * instruction, "high word of a product, rounded", and rounding constant and zero point are added as one
 * number:
 *
 *     (x + 2^(shift-1) + zero_point * 2^shift) >> shift,   2^(shift-1) + ... = ((2 * zero_point + 1) <<
 * shift) / 2
 *
 * Adding the sign (0 or -1) of x first sends halves of negative numbers away from zero. The accumulator has
 * the same sign, unless x is 0, where -1 makes no difference; with it the multiplication can add the
 * constant.
 */
#ifndef TINYML_NN_REQUANTIZE_H
#define TINYML_NN_REQUANTIZE_H

#include "fixed_point.h"
#include "tinyml_nn_convolution.h"
#include "simd.h"

/* One output channel as the exporter writes it. */
enum { kDoubledBias, kMultiplier, kRounding, kShift, kChannelWords };

/* The output of a sum of any size, by the constants of a plain kernel: the bias is not doubled. */
static inline int8_t requantize_plain(uint32_t sum, const int32_t* channel, int32_t zero_point) {
  const int32_t biased = (int32_t)(sum + (uint32_t)channel[kDoubledBias]);
  return (int8_t)clamp_s8(rescale(biased, channel[kMultiplier], channel[kShift]) + zero_point);
}

/* Whether `requantize` can shift so far. */
static inline int is_packed_shift(int32_t shift) {
  return shift >= 1 && shift <= 23;
}

/* The constant that `requantize` adds, for such a shift. */
static inline int32_t rounding_and_zero_point(int32_t zero_point, int32_t shift) {
  return (2 * zero_point + 1) * (1 << (shift - 1));
}

static inline int8_t requantize(int32_t doubled, int32_t multiplier, int32_t rounding, int32_t shift) {
  const int32_t x = multiply_high_add(doubled, multiplier, rounding) + (doubled >> 31);
  return (int8_t)saturate_s8(x >> shift);
}

/* The output for a sum of products, by the words of its channel. */
static inline int8_t requantize_sum(uint32_t sum, const int32_t* channel) {
  const int32_t doubled = (int32_t)((uint32_t)channel[kDoubledBias] + (sum << 1));
  return requantize(doubled, channel[kMultiplier], channel[kRounding], channel[kShift]);
}

/* Applies an activation that is narrower than int8. */
static inline void clamp_outputs(int8_t* values, int32_t count, const tinyml_nn_range* range) {
  const int32_t lowest = range->lowest, highest = range->highest;
  if (lowest <= INT8_MIN && highest >= INT8_MAX) return;
  for (const int8_t* end = values + count; values != end; ++values) {
    if (*values < lowest) *values = (int8_t)lowest;
    if (*values > highest) *values = (int8_t)highest;
  }
}

#endif /* TINYML_NN_REQUANTIZE_H */
