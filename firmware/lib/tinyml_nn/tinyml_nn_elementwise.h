/* Elementwise operators: tables of unary functions, and binary functions with broadcasting.
 */
#ifndef TINYML_NN_ELEMENTWISE_H
#define TINYML_NN_ELEMENTWISE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* output[i] = table[input[i]] for bytes of any meaning; the table is indexed by the byte as an unsigned
 * number. Output may be input. */
void tinyml_nn_lookup(const void* table, const void* input, void* output, int32_t count);

/* The same for results of two bytes; output may not be input. */
void tinyml_nn_lookup_16(const int16_t table[256], const void* input, int16_t* output, int32_t count);

/* output[i] = input[i] clamped to [lowest, highest]. Output may be input. */
void tinyml_nn_clamp_s8(int8_t lowest, int8_t highest, const int8_t* input, int8_t* output, int32_t count);

/* A binary function over `count` elements. A step is 1, or 0 for an operand that is one value for all of
 * them. Output may be an operand of step 1. */
typedef void tinyml_nn_row(const void* params, const int8_t* a, int32_t a_step, const int8_t* b,
                           int32_t b_step, int8_t* output, int32_t count);

enum { TINYML_NN_BROADCAST_RANK = 5 };

/* Broadcasting of operands with different shapes: the output's sizes, outermost first, and how far each
 * operand moves for one step along each, in values along the innermost and in bytes along the others; 0 if it
 * is repeated. */
typedef struct {
  int32_t rank;
  int32_t size[TINYML_NN_BROADCAST_RANK];
  int32_t a_stride[TINYML_NN_BROADCAST_RANK];
  int32_t b_stride[TINYML_NN_BROADCAST_RANK];
  int32_t row_bytes; /* of the output's innermost dimension */
} tinyml_nn_broadcast_shape;

/* Applies `row` to the innermost dimension of every position of the others. */
void tinyml_nn_broadcast(const tinyml_nn_broadcast_shape* shape, tinyml_nn_row* row, const void* params,
                         const int8_t* a, const int8_t* b, int8_t* output);

enum { TINYML_NN_ADD_UNIT = 1 << 21 };

/* The sum is taken in units of a's scale / 2^20, where a is the operand of the larger scale, so that only b
 * and the sum are rescaled. A product with a multiplier is divided by 2^32, then by 2^shift. */
typedef struct {
  int32_t a_unit;  /* 2^20, or -2^20 where a is subtracted */
  int32_t a_start; /* -a's zero point * a_unit */
  int32_t b_start; /* -b's zero point * TINYML_NN_ADD_UNIT */
  int32_t b_multiplier;
  int32_t b_shift;
  int32_t b_unit; /* 2, or -2 where b is subtracted */
  int32_t multiplier;
  int32_t shift;
  int32_t output_offset;
  int32_t lowest;
  int32_t highest;
} tinyml_nn_add_params;

/* The sum or difference of two numbers; `params` is a tinyml_nn_add_params. */
tinyml_nn_row tinyml_nn_add_s8;

typedef struct {
  int32_t a_offset;
  int32_t b_offset;
  int32_t multiplier; /* a's scale * b's scale / output scale = multiplier * 2^(shift - 31) */
  int32_t shift;
  int32_t output_offset;
  int32_t lowest;
  int32_t highest;
} tinyml_nn_mul_params;

/* a * b; `params` is a tinyml_nn_mul_params. */
tinyml_nn_row tinyml_nn_mul_s8;

typedef struct {
  int32_t a_offset;
  int32_t b_offset;
  int32_t multiplier; /* a's scale / output scale, where a >= 0 */
  int32_t shift;
  int32_t slope_multiplier; /* a's scale * b's scale / output scale, where a < 0 */
  int32_t slope_shift;
  int32_t output_offset;
} tinyml_nn_prelu_params;

/* a where a >= 0, else a * b; `params` is a tinyml_nn_prelu_params. */
tinyml_nn_row tinyml_nn_prelu_s8;

/* The larger and the smaller of two numbers of one scale; `params` is not used. */
tinyml_nn_row tinyml_nn_maximum_s8;
tinyml_nn_row tinyml_nn_minimum_s8;

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_ELEMENTWISE_H */
