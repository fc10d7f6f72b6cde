/* Rows of binary functions on plain numbers: what binary_f32.c and binary_s32.c are made of. */
#ifndef TINYML_NN_BINARY_PLAIN_H
#define TINYML_NN_BINARY_PLAIN_H

#include <stdint.h>

/* `result` is an expression of *left and *right; `clamped` of the file keeps it in the range. */
#define BINARY(name, type, range_type, result)                                                    \
  void name(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step, \
            int8_t* output, int32_t count) {                                                      \
    const range_type range = *(const range_type*)params;                                          \
    const type *left = (const void*)a, *right = (const void*)b;                                   \
    type* to = (void*)output;                                                                     \
    for (; count > 0; --count, left += a_step, right += b_step) *to++ = clamped((result), range); \
  }

#define EXTREMUM(name, type, beats)                                                               \
  void name(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step, \
            int8_t* output, int32_t count) {                                                      \
    (void)params;                                                                                 \
    const type *left = (const void*)a, *right = (const void*)b;                                   \
    type* to = (void*)output;                                                                     \
    for (; count > 0; --count, left += a_step, right += b_step) {                                 \
      *to++ = *left beats * right ? *left : *right;                                               \
    }                                                                                             \
  }

#endif
