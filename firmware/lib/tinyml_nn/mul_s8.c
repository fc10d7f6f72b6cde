#include "fixed_point.h"
#include "tinyml_nn_elementwise.h"

void tinyml_nn_mul_s8(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                      int8_t* output, int32_t count) {
  const tinyml_nn_mul_params p = *(const tinyml_nn_mul_params*)params;
  const int left = p.shift > 0 ? p.shift : 0, right = p.shift > 0 ? 0 : -p.shift;
  for (int32_t i = 0; i < count; ++i) {
    const uint32_t product = (uint32_t)((*a + p.a_offset) * (*b + p.b_offset));
    const int32_t scaled = multiply_q31((int32_t)(product << left), p.multiplier);
    const int32_t value = divide_by_power_of_two(scaled, right) + p.output_offset;
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
