/* The kernels of compiled networks. Plain C11, no memory of their own.
 *
 * Results are bit-identical to those of TensorFlow Lite Micro's reference kernels.
 */
#ifndef TINYML_NN_H
#define TINYML_NN_H

#include <stdint.h>

#include "tinyml_nn_boundary.h"
#include "tinyml_nn_convolution.h"
#include "tinyml_nn_elementwise.h"
#include "tinyml_nn_f32.h"
#include "tinyml_nn_grouped.h"
#include "tinyml_nn_matmul.h"
#include "tinyml_nn_move.h"
#include "tinyml_nn_recurrent.h"
#include "tinyml_nn_reduce.h"
#include "tinyml_nn_resize.h"
#include "tinyml_nn_s32.h"
#include "tinyml_nn_signal.h"
#include "tinyml_nn_s16.h"
#include "tinyml_nn_transpose_conv.h"

/* Marks the function of each operator of a network: it keeps its symbol, which profilers look up. */
#define TINYML_NN_OP __attribute__((noinline))

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t positions; /* height * width */
  int32_t channels;
  int32_t input_offset;  /* minus the input's zero point */
  int32_t output_offset; /* the output's zero point */
  int32_t multiplier;    /* input scale / output scale / positions = multiplier * 2^(shift - 31) */
  int32_t shift;
} tinyml_nn_mean_params;

/* Mean of [positions][channels] over positions, one output per channel. */
void tinyml_nn_mean_s8(const tinyml_nn_mean_params* params, const int8_t* input, int8_t* output);

typedef struct {
  int32_t rows;
  int32_t depth;
  int32_t multiplier; /* (q - row maximum) * multiplier * 2^(shift - 31) is the exponent in Q5.26 */
  int32_t shift;
  int32_t diff_min; /* below this difference to the row's maximum the probability is 0 */
} tinyml_nn_softmax_params;

/* Softmax of each row of [rows][depth]; the output is probability = (q + 128) / 256. */
void tinyml_nn_softmax_s8(const tinyml_nn_softmax_params* params, const int8_t* input, int8_t* output);

/* The same with probability = (q + 32768) / 65536. */
void tinyml_nn_softmax_s8_s16(const tinyml_nn_softmax_params* params, const int8_t* input, int16_t* output);

typedef struct {
  tinyml_nn_softmax_params softmax; /* at most 4095 values a row */
  int32_t inverse_multiplier;       /* the inverse of the softmax's multiplier, */
  int32_t inverse_shift;            /* from exponents to differences of int8 values */
} tinyml_nn_log_softmax_params;

/* Logarithm of the softmax of each row; the output is log(probability) = (q - 127) / 16. */
void tinyml_nn_log_softmax_s8(const tinyml_nn_log_softmax_params* params, const int8_t* input,
                              int8_t* output);

typedef struct {
  int32_t rows;
  int32_t depth;        /* at most 33025 values a row */
  int32_t input_offset; /* minus the input's zero point */
} tinyml_nn_l2_normalize_params;

/* Each row divided by its length; the output is q / 128. */
void tinyml_nn_l2_normalize_s8(const tinyml_nn_l2_normalize_params* params, const int8_t* input,
                               int8_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_H */
