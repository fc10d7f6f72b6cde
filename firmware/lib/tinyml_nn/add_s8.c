#include "requantize.h"
#include "tinyml_nn_elementwise.h"

/* x * multiplier / 2^32 / 2^shift, rounded twice, halves away from zero; `half` is half a unit of the second
 * step and `below` is -1, both 0 without a shift. The product has the sign of x, or is 0 and the sign does
 * not matter. */
static inline int32_t scale_down(int32_t x, int32_t multiplier, int32_t half, int32_t below, int32_t shift) {
  return (multiply_high_add(x, multiplier, half) + ((x >> 31) & below)) >> shift;
}

/* Two whole operands that both have a shift: the output's zero point is added with the rounding constant. */
static __attribute__((noinline)) void add_whole(const tinyml_nn_add_params* p, const int8_t* a,
                                                const int8_t* b, int8_t* output, int32_t count) {
  const int32_t b_start = p->b_start, b_multiplier = p->b_multiplier, b_shift = p->b_shift;
  const int32_t a_start = p->a_start, multiplier = p->multiplier, shift = p->shift;
  const int32_t b_half = rounding_and_zero_point(0, b_shift);
  const int32_t rounding = rounding_and_zero_point(p->output_offset, shift);
  for (const int8_t* const end = output + count; output != end; ++output) {
    const int32_t doubled = *b++ * TINYML_NN_ADD_UNIT + b_start;
    const int32_t other = (multiply_high_add(doubled, b_multiplier, b_half) + (doubled >> 31)) >> b_shift;
    *output = requantize(*a++ * (TINYML_NN_ADD_UNIT / 2) + a_start + other * 2, multiplier, rounding, shift);
  }
}

void tinyml_nn_add_s8(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                      int8_t* output, int32_t count) {
  const tinyml_nn_add_params p = *(const tinyml_nn_add_params*)params;
  if (a_step == 1 && b_step == 1 && p.a_unit > 0 && p.b_unit > 0 && is_packed_shift(p.b_shift) &&
      is_packed_shift(p.shift)) {
    const tinyml_nn_range range = {p.lowest, p.highest};
    add_whole(&p, a, b, output, count);
    clamp_outputs(output, count, &range);
    return;
  }
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
