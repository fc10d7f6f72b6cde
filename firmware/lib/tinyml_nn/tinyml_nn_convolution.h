/* Convolutions and fully connected layers of int8 values whose weights the exporter has packed.
 *
 * docs/kernels.md explains how they work. Their results are bit-identical to those of TensorFlow Lite Micro's
 * reference kernels, under conditions that tinyml_cli/engines/aot/ops/packing.py checks: weights in
 * -127..127, shifts of 1..23, accumulators below 2^30.
 *
 * `channels` is [output channels][4]: twice (bias - input zero point * sum of weights), multiplier, rounding,
 * shift; output = accumulator * multiplier / 2^(31 + shift) + output zero point, see requantize.h for the
 * rounding, which contains that zero point. `scratch` and `weights` are aligned
 * to 4 bytes; inputs and outputs need no alignment.
 *
 * Kernels called "plain" have no such conditions. Their channels begin with the bias itself, modulo 2^32, and
 * a positive shift is to the left, as in output = accumulator * multiplier * 2^(shift - 31) + zero point.
 */
#ifndef TINYML_NN_CONVOLUTION_H
#define TINYML_NN_CONVOLUTION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The output range of a fused activation. */
typedef struct {
  int32_t lowest, highest;
} tinyml_nn_range;

typedef struct {
  int32_t input_height, input_width, input_channels;
  int32_t window_height, window_width;
  int32_t stride_y, stride_x;
  int32_t dilation_y, dilation_x;
  int32_t padding_y, padding_x; /* before the first row and column */
  int32_t output_height, output_width, output_channels;
  int32_t input_zero_point, output_zero_point;
  tinyml_nn_range activation;
} tinyml_nn_window;

/* Any window. `scratch` holds three windows as int16 and one as int8; input and output must not overlap. */
void tinyml_nn_convolve_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                           const int32_t* channels, uint8_t* scratch, int8_t* output);

/* A window of 1x1 without padding. `scratch` holds three pixels as int16. With stride 1 and no more output
 * than input channels, the output may be written over the input. */
void tinyml_nn_convolve_1x1_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                               const int32_t* channels, uint8_t* scratch, int8_t* output);

/* The same without conditions, over [outputs][values of a window] weights, each row in whole words. */
void tinyml_nn_convolve_plain_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                                 const int32_t* channels, uint8_t* scratch, int8_t* output);

/* One filter of 3x3 per channel, stride 1 or 2 in both directions, no dilation, padding of at most 1.
 * `scratch` holds four channels of four rows as int16. With stride 1 the output may be written over the
 * input. */
void tinyml_nn_depthwise_3x3_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                                const int32_t* channels, uint8_t* scratch, int8_t* output);

/* One or more filters per channel, any window. `scratch` holds an even number of pointers, at least one for
 * each value of a window, and a pixel; or a window, where channels have several filters or are fewer than
 * four; pixels take whole words. */
void tinyml_nn_depthwise_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                            const int32_t* channels, uint8_t* scratch, int8_t* output);
void tinyml_nn_depthwise_plain_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                                  const int32_t* channels, uint8_t* scratch, int8_t* output);

/* One filter per channel, at least four channels, windows of one column or one row without dilation; what
 * lies in the other direction has no padding. `scratch` holds four channels of a line, and their weights, as
 * int16. */
void tinyml_nn_depthwise_line_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                                 const int32_t* channels, uint8_t* scratch, int8_t* output);

/* Pools of any window, without dilation. Padding does not count. */
void tinyml_nn_average_pool_s8(const tinyml_nn_window* window, const int8_t* input, int8_t* output);
void tinyml_nn_max_pool_s8(const tinyml_nn_window* window, const int8_t* input, int8_t* output);

typedef struct {
  int32_t rows, inputs, outputs;
  int32_t output_zero_point;
  tinyml_nn_range activation;
  int32_t per_channel; /* whether `scales` is [outputs][2] or [2] */
} tinyml_nn_dense;

/* Fully connected: `doubled_bias` is the first column of `channels`, `scales` are multipliers and shifts. */
void tinyml_nn_fully_connected_s8(const tinyml_nn_dense* dense, const int8_t* input, const int8_t* weights,
                                  const int32_t* doubled_bias, const int32_t* scales, int8_t* output);

/* The weights lie as in tinyml_nn_recurrent.h, [outputs / 4][inputs / 4][4][4]. */
void tinyml_nn_fully_connected_plain_s8(const tinyml_nn_dense* dense, const int8_t* input,
                                        const int8_t* weights, const int32_t* channels, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_CONVOLUTION_H */
