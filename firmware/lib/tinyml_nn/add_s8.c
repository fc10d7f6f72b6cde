#include "simd.h"
#include "tinyml_nn_elementwise.h"

/* x * multiplier / 2^32 / 2^shift, rounded twice, halves away from zero; `half` is half a unit of the second
 * step and `below` is -1, both 0 without a shift. The product has the sign of x, or is 0 and the sign does
 * not matter. */
static inline int32_t scale_down(int32_t x, int32_t multiplier, int32_t half, int32_t below, int32_t shift) {
  return (multiply_high_add(x, multiplier, half) + ((x >> 31) & below)) >> shift;
}

void tinyml_nn_add_s8(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                      int8_t* output, int32_t count) {
  const tinyml_nn_add_params p = *(const tinyml_nn_add_params*)params;
  const int32_t b_half = (int32_t)((UINT32_C(1) << p.b_shift) >> 1), b_below = p.b_shift ? -1 : 0;
  const int32_t half = (int32_t)((UINT32_C(1) << p.shift) >> 1), below = p.shift ? -1 : 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t other =
        scale_down(*b * TINYML_NN_ADD_UNIT + p.b_start, p.b_multiplier, b_half, b_below, p.b_shift);
    const int32_t sum = *a * p.a_unit + p.a_start + other * p.b_unit;
    const int32_t value = scale_down(sum, p.multiplier, half, below, p.shift) + p.output_offset;
    *output++ = (int8_t)(value < p.lowest ? p.lowest : value > p.highest ? p.highest : value);
    a += a_step;
    b += b_step;
  }
}
