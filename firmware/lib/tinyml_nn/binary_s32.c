#include "tinyml_nn_s32.h"

static inline int32_t quotient(int32_t a, int32_t b) {
  if (b == 0) return 0;
  return b == -1 ? (int32_t)(0u - (uint32_t)a) : a / b;
}

static inline int32_t clamped(int32_t value, tinyml_nn_range_s32 range) {
  return value < range.lowest ? range.lowest : value > range.highest ? range.highest : value;
}

#define BINARY(name, result)                                                                      \
  void name(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step, \
            int8_t* output, int32_t count) {                                                      \
    const tinyml_nn_range_s32 range = *(const tinyml_nn_range_s32*)params;                        \
    const int32_t *left = (const void*)a, *right = (const void*)b;                                \
    int32_t* to = (void*)output;                                                                  \
    for (; count > 0; --count, left += a_step, right += b_step) *to++ = clamped((result), range); \
  }

BINARY(tinyml_nn_add_s32, (int32_t)((uint32_t)*left + (uint32_t)*right))
BINARY(tinyml_nn_sub_s32, (int32_t)((uint32_t)*left - (uint32_t)*right))
BINARY(tinyml_nn_mul_s32, (int32_t)((uint32_t)*left * (uint32_t)*right))
BINARY(tinyml_nn_div_s32, quotient(*left, *right))

#define EXTREMUM(name, beats)                                                                     \
  void name(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step, \
            int8_t* output, int32_t count) {                                                      \
    (void)params;                                                                                 \
    const int32_t *left = (const void*)a, *right = (const void*)b;                                \
    int32_t* to = (void*)output;                                                                  \
    for (; count > 0; --count, left += a_step, right += b_step) {                                 \
      *to++ = *left beats * right ? *left : *right;                                               \
    }                                                                                             \
  }

EXTREMUM(tinyml_nn_maximum_s32, >)
EXTREMUM(tinyml_nn_minimum_s32, <)
