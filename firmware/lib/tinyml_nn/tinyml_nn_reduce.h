/* Sums, extrema and their positions over dimensions. */
#ifndef TINYML_NN_REDUCE_H
#define TINYML_NN_REDUCE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t outer; /* the input is [outer][first][kept][second]; the output is [outer][kept] */
  int32_t first;
  int32_t kept;
  int32_t second;
  int32_t input_offset;  /* minus the input's zero point */
  int32_t output_offset; /* the output's zero point */
  int32_t multiplier;    /* input scale / output scale (/ elements of a sum, for a mean) */
  int32_t shift;
} tinyml_nn_sum_params;

/* Sum or mean over the dimensions `first` and `second`. */
void tinyml_nn_sum_s8(const tinyml_nn_sum_params* params, const int8_t* input, int8_t* output);

/* The largest or smallest value over the same dimensions; only the sizes of `params` count. */
void tinyml_nn_largest_s8(const tinyml_nn_sum_params* params, const int8_t* input, int8_t* output);
void tinyml_nn_smallest_s8(const tinyml_nn_sum_params* params, const int8_t* input, int8_t* output);

/* The input is [outer][count][inner]; the output is [outer][inner]. */
typedef struct {
  int32_t outer;
  int32_t count;
  int32_t inner;
} tinyml_nn_arg_params;

/* The index of the first of the largest or smallest values along `count`. */
void tinyml_nn_arg_largest_s8(const tinyml_nn_arg_params* params, const int8_t* input, int32_t* output);
void tinyml_nn_arg_smallest_s8(const tinyml_nn_arg_params* params, const int8_t* input, int32_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_REDUCE_H */
