#include "tinyml_nn_elementwise.h"

void tinyml_nn_maximum_s8(const void* params, const int8_t* a, int32_t a_step, const int8_t* b,
                          int32_t b_step, int8_t* output, int32_t count) {
  (void)params;
  for (int32_t i = 0; i < count; ++i) {
    *output++ = *a > *b ? *a : *b;
    a += a_step;
    b += b_step;
  }
}

void tinyml_nn_minimum_s8(const void* params, const int8_t* a, int32_t a_step, const int8_t* b,
                          int32_t b_step, int8_t* output, int32_t count) {
  (void)params;
  for (int32_t i = 0; i < count; ++i) {
    *output++ = *a < *b ? *a : *b;
    a += a_step;
    b += b_step;
  }
}
