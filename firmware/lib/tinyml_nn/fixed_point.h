/* Rounding fixed-point arithmetic in 32 bits, as Jacob et al. (2018), appendix B, define it. */
#ifndef TINYML_NN_FIXED_POINT_H
#define TINYML_NN_FIXED_POINT_H

#include <stdint.h>

/* The product of two Q0.31 numbers, rounded to nearest; -1 * -1 saturates. */
static inline int32_t multiply_q31(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* x / 2^exponent, rounded to nearest, halves away from zero; 0 <= exponent <= 31. */
static inline int32_t divide_by_power_of_two(int32_t x, int exponent) {
  const int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1);
  const int32_t remainder = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/* x * 2^exponent, saturated. */
static inline int32_t shift_left_saturated(int32_t x, int exponent) {
  const int64_t wide = (int64_t)x * (INT64_C(1) << exponent);
  if (wide > INT32_MAX) return INT32_MAX;
  if (wide < INT32_MIN) return INT32_MIN;
  return (int32_t)wide;
}

/* x * multiplier * 2^(shift - 31), rounded twice as TensorFlow Lite does. */
static inline int32_t rescale(int32_t x, int32_t multiplier, int32_t shift) {
  const int32_t shifted = (int32_t)((uint32_t)x << (shift > 0 ? shift : 0));
  return divide_by_power_of_two(multiply_q31(shifted, multiplier), shift > 0 ? 0 : -shift);
}

/* The same of a sum of 64 bits, by the upper half of the multiplier, rounded once; shift <= 14. */
static inline int32_t rescale_long(int64_t x, int32_t multiplier, int32_t shift) {
  const int64_t upper = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
  const int32_t right = 15 - shift;
  return (int32_t)((x * upper + (INT64_C(1) << (right - 1))) >> right);
}

static inline int32_t clamp_s8(int32_t x) {
  return x < INT8_MIN ? INT8_MIN : x > INT8_MAX ? INT8_MAX : x;
}

static inline int32_t clamp_s16(int32_t x) {
  return x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x;
}

#endif /* TINYML_NN_FIXED_POINT_H */
