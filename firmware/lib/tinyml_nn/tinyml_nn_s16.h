/* Operators on int16 activations whose zero points are 0; weights are int8. */
#ifndef TINYML_NN_S16_H
#define TINYML_NN_S16_H

#include <stdint.h>

#include "tinyml_nn_convolution.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Any convolution: in groups if filters see `filter_channels` of the input's channels only, with one channel
 * each where it is depthwise. Outputs may lie apart, for the phases of a transposed convolution. */
typedef struct {
  tinyml_nn_window window;
  int32_t filter_channels;
  int32_t output_step, output_row_step; /* values from one output pixel to the next, and from row to row */
  int32_t is_wide;                      /* sums of 64 bits, which are rounded once; otherwise 32 and twice */
  const int8_t* weights;                /* [output channels][height][width][filter_channels] */
  const int64_t* bias;
  const int32_t* multipliers;
  const int32_t* shifts;
} tinyml_nn_convolution_s16;

void tinyml_nn_convolve_s16(const tinyml_nn_convolution_s16* convolution, const int16_t* input,
                            int16_t* output);

/* Pools of any window, without dilation. Padding does not count. */
void tinyml_nn_average_pool_s16(const tinyml_nn_window* window, const int16_t* input, int16_t* output);
void tinyml_nn_max_pool_s16(const tinyml_nn_window* window, const int16_t* input, int16_t* output);

/* Rows of tinyml_nn_broadcast whose values are int16. */
typedef struct {
  int32_t a_multiplier, a_shift; /* a's scale / the common scale = multiplier * 2^(shift - 31) */
  int32_t b_multiplier, b_shift;
  int32_t b_sign; /* -1 where b is subtracted */
  int32_t multiplier, shift;
  int32_t lowest, highest;
} tinyml_nn_add_s16_params;

void tinyml_nn_add_s16(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                       int8_t* output, int32_t count);

typedef struct {
  int32_t multiplier, shift; /* a's scale * b's scale / output scale */
  int32_t lowest, highest;
} tinyml_nn_mul_s16_params;

void tinyml_nn_mul_s16(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                       int8_t* output, int32_t count);

typedef struct {
  int32_t input_offset, output_offset;
  int32_t multiplier, shift;                      /* where the input is not negative */
  int32_t slope_multiplier, slope_shift, is_down; /* where it is; is_down for a slope below 0 */
} tinyml_nn_leaky_relu_s16_params;

/* Output may be input, here and below. */
void tinyml_nn_leaky_relu_s16(const tinyml_nn_leaky_relu_s16_params* params, const int16_t* input,
                              int16_t* output, int32_t count);

/* The argument is input * multiplier / 2^shift / 12288; outputs are Q0.15. */
void tinyml_nn_logistic_s16(int32_t multiplier, int32_t shift, const int16_t* input, int16_t* output,
                            int32_t count);
void tinyml_nn_tanh_s16(int32_t multiplier, int32_t shift, const int16_t* input, int16_t* output,
                        int32_t count);

enum { TINYML_NN_TABLE_S16 = 513 };

typedef struct {
  int32_t rows, depth;
  int32_t multiplier, shift;  /* a difference to the row's maximum * these = -65535..0 for -10..0 */
  const int16_t* exponential; /* exp(x) for -10..0, in steps of 10 / 512 */
  const int16_t* inverse;     /* 1 / (1 + x) for 0..1 */
} tinyml_nn_softmax_s16_params;

/* Softmax of each row; the output is probability = q / 32768. */
void tinyml_nn_softmax_s16(const tinyml_nn_softmax_s16_params* params, const int16_t* input, int16_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_S16_H */
