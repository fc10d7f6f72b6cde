#include "fixed_point.h"
#include "sigmoid_s16.h"
#include "tinyml_nn_s16.h"

/* TensorFlow Lite adds int16 values on a common scale with so many fractional bits. */
enum { kSumFraction = 1 << 15 };

static inline int16_t clamped(int32_t value, int32_t lowest, int32_t highest) {
  return (int16_t)(value < lowest ? lowest : value > highest ? highest : value);
}

void tinyml_nn_add_s16(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                       int8_t* output, int32_t count) {
  const tinyml_nn_add_s16_params p = *(const tinyml_nn_add_s16_params*)params;
  const int16_t *left = (const void*)a, *right = (const void*)b;
  int16_t* to = (void*)output;
  for (; count > 0; --count, left += a_step, right += b_step) {
    const int32_t sum = rescale(*left * kSumFraction, p.a_multiplier, p.a_shift) +
                        p.b_sign * rescale(*right * kSumFraction, p.b_multiplier, p.b_shift);
    *to++ = clamped(rescale(sum, p.multiplier, p.shift), p.lowest, p.highest);
  }
}

void tinyml_nn_mul_s16(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                       int8_t* output, int32_t count) {
  const tinyml_nn_mul_s16_params p = *(const tinyml_nn_mul_s16_params*)params;
  const int16_t *left = (const void*)a, *right = (const void*)b;
  int16_t* to = (void*)output;
  for (; count > 0; --count, left += a_step, right += b_step) {
    *to++ = clamped(rescale(*left * *right, p.multiplier, p.shift), p.lowest, p.highest);
  }
}

void tinyml_nn_leaky_relu_s16(const tinyml_nn_leaky_relu_s16_params* params, const int16_t* input,
                              int16_t* output, int32_t count) {
  const tinyml_nn_leaky_relu_s16_params p = *params;
  for (; count > 0; --count) {
    const int32_t value = *input++ + p.input_offset;
    int32_t scaled;
    if (value >= 0) {
      scaled = rescale(value, p.multiplier, p.shift);
    } else {
      scaled = rescale(value, p.slope_multiplier, p.slope_shift);
      if (p.is_down) scaled = -scaled;
    }
    *output++ = (int16_t)clamp_s16(scaled + p.output_offset);
  }
}

static inline int32_t argument(int16_t value, int32_t multiplier, int32_t shift) {
  return (value * multiplier + (shift > 0 ? 1 << (shift - 1) : 0)) >> shift;
}

void tinyml_nn_logistic_s16(int32_t multiplier, int32_t shift, const int16_t* input, int16_t* output,
                            int32_t count) {
  for (; count > 0; --count) *output++ = (int16_t)sigmoid_q15(argument(*input++, multiplier, shift));
}

void tinyml_nn_tanh_s16(int32_t multiplier, int32_t shift, const int16_t* input, int16_t* output,
                        int32_t count) {
  for (; count > 0; --count) *output++ = (int16_t)tanh_q15(argument(*input++, multiplier, shift));
}
