#include "binary_plain.h"
#include "tinyml_nn_s32.h"

static inline int32_t quotient(int32_t a, int32_t b) {
  if (b == 0) return 0;
  return b == -1 ? (int32_t)(0u - (uint32_t)a) : a / b;
}

static inline int32_t clamped(int32_t value, tinyml_nn_range_s32 range) {
  return value < range.lowest ? range.lowest : value > range.highest ? range.highest : value;
}

BINARY(tinyml_nn_add_s32, int32_t, tinyml_nn_range_s32, (int32_t)((uint32_t)*left + (uint32_t)*right))
BINARY(tinyml_nn_sub_s32, int32_t, tinyml_nn_range_s32, (int32_t)((uint32_t)*left - (uint32_t)*right))
BINARY(tinyml_nn_mul_s32, int32_t, tinyml_nn_range_s32, (int32_t)((uint32_t)*left * (uint32_t)*right))
BINARY(tinyml_nn_div_s32, int32_t, tinyml_nn_range_s32, quotient(*left, *right))

EXTREMUM(tinyml_nn_maximum_s32, int32_t, >)
EXTREMUM(tinyml_nn_minimum_s32, int32_t, <)
