#include "elementary_f32.h"
#include "tinyml_nn_f32.h"

/* Comparisons with NaN are false: it passes. */
static inline float clamped(float value, tinyml_nn_range_f32 range) {
  const float raised = value < range.lowest ? range.lowest : value;
  return range.highest < raised ? range.highest : raised;
}

#define BINARY(name, result)                                                                      \
  void name(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step, \
            int8_t* output, int32_t count) {                                                      \
    const tinyml_nn_range_f32 range = *(const tinyml_nn_range_f32*)params;                        \
    const float *left = (const void*)a, *right = (const void*)b;                                  \
    float* to = (void*)output;                                                                    \
    for (; count > 0; --count, left += a_step, right += b_step)                                   \
      *to++ = clamped(*left result * right, range);                                               \
  }

BINARY(tinyml_nn_add_f32, +)
BINARY(tinyml_nn_sub_f32, -)
BINARY(tinyml_nn_mul_f32, *)
BINARY(tinyml_nn_div_f32, /)

#define EXTREMUM(name, beats)                                                                     \
  void name(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step, \
            int8_t* output, int32_t count) {                                                      \
    (void)params;                                                                                 \
    const float *left = (const void*)a, *right = (const void*)b;                                  \
    float* to = (void*)output;                                                                    \
    for (; count > 0; --count, left += a_step, right += b_step) {                                 \
      *to++ = *left beats * right ? *left : *right;                                               \
    }                                                                                             \
  }

EXTREMUM(tinyml_nn_maximum_f32, >)
EXTREMUM(tinyml_nn_minimum_f32, <)
