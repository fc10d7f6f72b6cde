/* Operators on float32: what a model computes after DEQUANTIZE. Sums run in order, in single precision, and
 * no product and sum share one rounding, as on TensorFlow Lite Micro's host. */
#ifndef TINYML_NN_F32_H
#define TINYML_NN_F32_H

#include <stdint.h>

#include "tinyml_nn_elementwise.h"
#include "tinyml_nn_reduce.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  float lowest;
  float highest;
} tinyml_nn_range_f32;

/* Binary functions of float32; `params` is a tinyml_nn_range_f32, which the result is clamped to. Extrema
 * take none. NaN stays NaN. */
tinyml_nn_row tinyml_nn_add_f32;
tinyml_nn_row tinyml_nn_sub_f32;
tinyml_nn_row tinyml_nn_mul_f32;
tinyml_nn_row tinyml_nn_div_f32;
tinyml_nn_row tinyml_nn_maximum_f32;
tinyml_nn_row tinyml_nn_minimum_f32;

/* Unary functions; output may be input. */
void tinyml_nn_clamp_f32(float lowest, float highest, const float* input, float* output, int32_t count);
void tinyml_nn_leaky_relu_f32(float slope, const float* input, float* output, int32_t count);
void tinyml_nn_abs_f32(const float* input, float* output, int32_t count);
void tinyml_nn_hard_swish_f32(const float* input, float* output, int32_t count);
void tinyml_nn_elu_f32(const float* input, float* output, int32_t count);
void tinyml_nn_logistic_f32(const float* input, float* output, int32_t count);
void tinyml_nn_hyperbolic_tangent_f32(const float* input, float* output, int32_t count);
void tinyml_nn_exponential_f32(const float* input, float* output, int32_t count);
void tinyml_nn_logarithm_f32(const float* input, float* output, int32_t count);

/* Softmax of each row of [rows][depth], of the values times `beta`, and its logarithm; output may be input.
 */
void tinyml_nn_softmax_f32(int32_t rows, int32_t depth, float beta, const float* input, float* output);
void tinyml_nn_log_softmax_f32(int32_t rows, int32_t depth, const float* input, float* output);

typedef struct {
  int32_t rows;
  int32_t inputs;
  int32_t outputs;
  tinyml_nn_range_f32 activation;
} tinyml_nn_dense_f32;

/* [rows][inputs] and weights [outputs][inputs] -> [rows][outputs]; `bias` may be NULL. */
void tinyml_nn_fully_connected_f32(const tinyml_nn_dense_f32* dense, const float* input, const float* weights,
                                   const float* bias, float* output);

/* The index of the first of the largest or smallest values along `count`. */
void tinyml_nn_arg_largest_f32(const tinyml_nn_arg_params* params, const float* input, int32_t* output);
void tinyml_nn_arg_smallest_f32(const tinyml_nn_arg_params* params, const float* input, int32_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_F32_H */
