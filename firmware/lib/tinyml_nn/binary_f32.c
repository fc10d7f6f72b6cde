#include "binary_plain.h"
#include "elementary_f32.h"
#include "tinyml_nn_f32.h"

/* Comparisons with NaN are false: it passes. */
static inline float clamped(float value, tinyml_nn_range_f32 range) {
  const float raised = value < range.lowest ? range.lowest : value;
  return range.highest < raised ? range.highest : raised;
}

BINARY(tinyml_nn_add_f32, float, tinyml_nn_range_f32, *left + *right)
BINARY(tinyml_nn_sub_f32, float, tinyml_nn_range_f32, *left - *right)
BINARY(tinyml_nn_mul_f32, float, tinyml_nn_range_f32, (*left) * (*right))
BINARY(tinyml_nn_div_f32, float, tinyml_nn_range_f32, *left / *right)

EXTREMUM(tinyml_nn_maximum_f32, float, >)
EXTREMUM(tinyml_nn_minimum_f32, float, <)
