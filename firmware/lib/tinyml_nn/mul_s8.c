#include "fixed_point.h"
#include "requantize.h"
#include "tinyml_nn_elementwise.h"

/* Two whole operands and a scale below 1/2, as nearly all have. */
static __attribute__((noinline)) void multiply_whole(const tinyml_nn_mul_params* p, const int8_t* a,
                                                     const int8_t* b, int8_t* output, int32_t count) {
  const int32_t a_offset = 2 * p->a_offset, b_offset = p->b_offset, multiplier = p->multiplier;
  const int32_t shift = -p->shift, rounding = rounding_and_zero_point(p->output_offset, shift);
  for (const int8_t* const end = output + count; output != end; ++output) {
    const int32_t doubled = (*a++ * 2 + a_offset) * (*b++ + b_offset);
    *output = requantize(doubled, multiplier, rounding, shift);
  }
}

void tinyml_nn_mul_s8(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                      int8_t* output, int32_t count) {
  const tinyml_nn_mul_params p = *(const tinyml_nn_mul_params*)params;
  if (a_step == 1 && b_step == 1 && is_packed_shift(-p.shift)) {
    const tinyml_nn_range range = {p.lowest, p.highest};
    multiply_whole(&p, a, b, output, count);
    clamp_outputs(output, count, &range);
    return;
  }
  for (int32_t i = 0; i < count; ++i) {
    const int32_t product = (*a + p.a_offset) * (*b + p.b_offset);
    const int32_t value = rescale(product, p.multiplier, p.shift) + p.output_offset;
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
