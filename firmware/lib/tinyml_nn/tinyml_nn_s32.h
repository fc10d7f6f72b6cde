/* Operators on int32 without a scale, DIV, and CAST between plain types. */
#ifndef TINYML_NN_S32_H
#define TINYML_NN_S32_H

#include <stdbool.h>
#include <stdint.h>

#include "tinyml_nn_elementwise.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t lowest;
  int32_t highest;
} tinyml_nn_range_s32;

/* Binary functions of int32; `params` is a tinyml_nn_range_s32, which the result is clamped to. Sums and
 * products wrap. A quotient loses its fraction; one by 0 is 0, as of Cortex-M's SDIV. Extrema take no params.
 */
tinyml_nn_row tinyml_nn_add_s32;
tinyml_nn_row tinyml_nn_sub_s32;
tinyml_nn_row tinyml_nn_mul_s32;
tinyml_nn_row tinyml_nn_div_s32;
tinyml_nn_row tinyml_nn_maximum_s32;
tinyml_nn_row tinyml_nn_minimum_s32;

typedef struct {
  int32_t a_offset; /* minus a's zero point */
  int32_t b_offset;
  int32_t multiplier; /* a's scale / b's scale / output scale = multiplier * 2^(shift - 31) */
  int32_t shift;
  int32_t output_offset; /* the output's zero point */
  int32_t lowest;
  int32_t highest;
} tinyml_nn_div_s8_params;

/* a / b of int8; `params` is a tinyml_nn_div_s8_params. */
tinyml_nn_row tinyml_nn_div_s8;

/* Values of another type: integers keep their low bits; float32 loses its fraction and saturates, and NaN
 * becomes 0. Output may not be input. */
#define TINYML_NN_CASTS(from, From)                                                     \
  void tinyml_nn_cast_##from##_s8(const From* input, int8_t* output, int32_t count);    \
  void tinyml_nn_cast_##from##_s16(const From* input, int16_t* output, int32_t count);  \
  void tinyml_nn_cast_##from##_s32(const From* input, int32_t* output, int32_t count);  \
  void tinyml_nn_cast_##from##_u32(const From* input, uint32_t* output, int32_t count); \
  void tinyml_nn_cast_##from##_f32(const From* input, float* output, int32_t count);
TINYML_NN_CASTS(s8, int8_t)
TINYML_NN_CASTS(s16, int16_t)
TINYML_NN_CASTS(s32, int32_t)
TINYML_NN_CASTS(u32, uint32_t)
TINYML_NN_CASTS(f32, float)
TINYML_NN_CASTS(b8, bool)

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_S32_H */
