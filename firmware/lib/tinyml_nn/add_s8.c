#include "fixed_point.h"
#include "tinyml_nn_elementwise.h"

/* Operands are brought to one scale with this many fractional bits before they are added. */
enum { kSumFractionBits = 20 };

void tinyml_nn_add_s8(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                      int8_t* output, int32_t count) {
  const tinyml_nn_add_params p = *(const tinyml_nn_add_params*)params;
  const int32_t unit = 1 << kSumFractionBits;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t left =
        divide_by_power_of_two(multiply_q31((*a + p.a_offset) * unit, p.a_multiplier), -p.a_shift);
    const int32_t right =
        divide_by_power_of_two(multiply_q31((*b + p.b_offset) * unit, p.b_multiplier), -p.b_shift);
    const int32_t sum = left + p.b_sign * right;
    const int32_t value =
        divide_by_power_of_two(multiply_q31(sum, p.output_multiplier), -p.output_shift) + p.output_offset;
    *output++ = (int8_t)(value < p.lowest ? p.lowest : value > p.highest ? p.highest : value);
    a += a_step;
    b += b_step;
  }
}
