#include "fixed_point.h"
#include "tinyml_nn_boundary.h"

/* Beyond this, every int16 saturates whatever its zero point. */
static const float kLimit = 131072.0f;

static int32_t round_half_away(float x) {
  if (!(x > -kLimit)) return (int32_t)-kLimit;
  if (x > kLimit) return (int32_t)kLimit;
  const int32_t whole = (int32_t)x;
  const float rest = x - (float)whole;
  return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

void tinyml_nn_quantize_f32_s8(float scale, int32_t zero_point, const float* input, int8_t* output,
                               int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = (int8_t)clamp_s8(round_half_away(input[i] / scale) + zero_point);
  }
}

void tinyml_nn_quantize_f32_s16(float scale, int32_t zero_point, const float* input, int16_t* output,
                                int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    output[i] = (int16_t)clamp_s16(round_half_away(input[i] / scale) + zero_point);
  }
}

void tinyml_nn_dequantize_s8_f32(float scale, int32_t zero_point, const int8_t* input, float* output,
                                 int32_t count) {
  for (int32_t i = 0; i < count; ++i) output[i] = scale * (float)(input[i] - zero_point);
}

void tinyml_nn_dequantize_u8_f32(float scale, int32_t zero_point, const uint8_t* input, float* output,
                                 int32_t count) {
  for (int32_t i = 0; i < count; ++i) output[i] = scale * (float)(input[i] - zero_point);
}

void tinyml_nn_dequantize_s16_f32(float scale, int32_t zero_point, const int16_t* input, float* output,
                                  int32_t count) {
  for (int32_t i = 0; i < count; ++i) output[i] = scale * (float)(input[i] - zero_point);
}

/* Between integer types: the offset wraps where the output is as wide as the sum. */
#define REQUANTIZE(name, From, To, clamped)                                                            \
  void name(const tinyml_nn_requantize_params* params, const From* input, To* output, int32_t count) { \
    const tinyml_nn_requantize_params p = *params;                                                     \
    for (int32_t i = 0; i < count; ++i) {                                                              \
      const uint32_t value = (uint32_t)input[i] + (uint32_t)p.input_offset;                            \
      const int32_t scaled = rescale((int32_t)value, p.multiplier, p.shift);                           \
      output[i] = (To)clamped((int32_t)((uint32_t)scaled + (uint32_t)p.output_offset));                \
    }                                                                                                  \
  }

REQUANTIZE(tinyml_nn_requantize_s16_s8, int16_t, int8_t, clamp_s8)
REQUANTIZE(tinyml_nn_requantize_s16_s16, int16_t, int16_t, clamp_s16)
REQUANTIZE(tinyml_nn_requantize_s16_s32, int16_t, int32_t, )
REQUANTIZE(tinyml_nn_requantize_s32_s8, int32_t, int8_t, clamp_s8)
REQUANTIZE(tinyml_nn_requantize_s32_s16, int32_t, int16_t, clamp_s16)
REQUANTIZE(tinyml_nn_requantize_s8_s32, int8_t, int32_t, )
