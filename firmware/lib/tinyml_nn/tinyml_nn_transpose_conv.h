/* Transposed convolution: each input pixel adds a window to the output. */
#ifndef TINYML_NN_TRANSPOSE_CONV_H
#define TINYML_NN_TRANSPOSE_CONV_H

#include <stdint.h>

#include "tinyml_nn_convolution.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t input_height, input_width, input_channels;
  int32_t window_height, window_width;
  int32_t output_height, output_width, output_channels;
  int32_t stride_y, stride_x;   /* output pixels between the windows of neighbours in the input */
  int32_t padding_y, padding_x; /* rows and columns of the first window that lie outside the output */
  int32_t input_offset;         /* minus the input's zero point */
  int32_t output_offset;        /* the output's zero point */
  int32_t lowest, highest;
  const int8_t* weights; /* [output_channels][window_height][window_width][input_channels] */
  const int32_t* bias;
  const int32_t* multipliers;
  const int32_t* shifts;
} tinyml_nn_transpose_conv_params;

void tinyml_nn_transpose_conv_s8(const tinyml_nn_transpose_conv_params* params, const int8_t* input,
                                 int8_t* output);

/* Outputs a stride apart meet the same weights: they are an ordinary convolution with packed weights. There
 * are stride_y * stride_x such phases. */
typedef struct {
  tinyml_nn_window window; /* of one row of outputs; padding_y is that of the first one */
  int32_t rows;
  int32_t first_row, first_column; /* of the output */
  int32_t stride_y, stride_x;
  int32_t output_width;
  int32_t line; /* where in `scratch` a row of outputs lies, behind what the convolution needs */
} tinyml_nn_transpose_conv_phase;

void tinyml_nn_transpose_conv_phase_s8(const tinyml_nn_transpose_conv_phase* phase, const int8_t* input,
                                       const int8_t* weights, const int32_t* channels, uint8_t* scratch,
                                       int8_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_TRANSPOSE_CONV_H */
