/* Between int8 and the wider types at a model's boundary. */
#ifndef TINYML_NN_BOUNDARY_H
#define TINYML_NN_BOUNDARY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* q = round(value / scale) + zero_point, halves away from zero, saturated to int8 and int16. NaN becomes the
 * lowest value. */
void tinyml_nn_quantize_f32_s8(float scale, int32_t zero_point, const float* input, int8_t* output,
                               int32_t count);
void tinyml_nn_quantize_f32_s16(float scale, int32_t zero_point, const float* input, int16_t* output,
                                int32_t count);

/* value = scale * (q - zero_point). */
void tinyml_nn_dequantize_s8_f32(float scale, int32_t zero_point, const int8_t* input, float* output,
                                 int32_t count);
void tinyml_nn_dequantize_u8_f32(float scale, int32_t zero_point, const uint8_t* input, float* output,
                                 int32_t count);
void tinyml_nn_dequantize_s16_f32(float scale, int32_t zero_point, const int16_t* input, float* output,
                                  int32_t count);

typedef struct {
  int32_t input_offset; /* minus the input's zero point */
  int32_t multiplier;   /* input scale / output scale = multiplier * 2^(shift - 31) */
  int32_t shift;
  int32_t output_offset;
} tinyml_nn_requantize_params;

void tinyml_nn_requantize_s16_s8(const tinyml_nn_requantize_params* params, const int16_t* input,
                                 int8_t* output, int32_t count);
void tinyml_nn_requantize_s16_s16(const tinyml_nn_requantize_params* params, const int16_t* input,
                                  int16_t* output, int32_t count);
void tinyml_nn_requantize_s16_s32(const tinyml_nn_requantize_params* params, const int16_t* input,
                                  int32_t* output, int32_t count);
void tinyml_nn_requantize_s32_s8(const tinyml_nn_requantize_params* params, const int32_t* input,
                                 int8_t* output, int32_t count);
void tinyml_nn_requantize_s32_s16(const tinyml_nn_requantize_params* params, const int32_t* input,
                                  int16_t* output, int32_t count);
void tinyml_nn_requantize_s8_s32(const tinyml_nn_requantize_params* params, const int8_t* input,
                                 int32_t* output, int32_t count);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_BOUNDARY_H */
