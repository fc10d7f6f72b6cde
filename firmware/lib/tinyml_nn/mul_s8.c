#include "fixed_point.h"
#include "simd.h"
#include "tinyml_nn_elementwise.h"

/* Scales below 1/2, as nearly all are: halves are rounded away from zero by the sign, see requantize.h. */
static inline int32_t scale_down(int32_t product, int32_t multiplier, int32_t rounding, int32_t shift) {
  return (multiply_high_add(product * 2, multiplier, rounding) + (product >> 31)) >> shift;
}

void tinyml_nn_mul_s8(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                      int8_t* output, int32_t count) {
  const tinyml_nn_mul_params p = *(const tinyml_nn_mul_params*)params;
  const int32_t right = -p.shift;
  const int is_small = right >= 1 && right <= 23;
  const int32_t rounding = is_small ? (2 * p.output_offset + 1) * (1 << (right - 1)) : 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t product = (*a + p.a_offset) * (*b + p.b_offset);
    const int32_t value = is_small ? scale_down(product, p.multiplier, rounding, right)
                                   : rescale(product, p.multiplier, p.shift) + p.output_offset;
    *output++ = (int8_t)(value < p.lowest ? p.lowest : value > p.highest ? p.highest : value);
    a += a_step;
    b += b_step;
  }
}

void tinyml_nn_prelu_s8(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                        int8_t* output, int32_t count) {
  const tinyml_nn_prelu_params p = *(const tinyml_nn_prelu_params*)params;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t input = *a + p.a_offset;
    const int32_t value = input >= 0 ? rescale(input, p.multiplier, p.shift)
                                     : rescale(input * (*b + p.b_offset), p.slope_multiplier, p.slope_shift);
    *output++ = (int8_t)clamp_s8(value + p.output_offset);
    a += a_step;
    b += b_step;
  }
}
