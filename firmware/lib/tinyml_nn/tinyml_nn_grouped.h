/* Grouped convolution: each output channel uses its group of the input channels. */
#ifndef TINYML_NN_GROUPED_H
#define TINYML_NN_GROUPED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t input_height, input_width, input_channels;
  int32_t height, width, channels; /* of the window; input_channels / channels groups */
  int32_t output_height, output_width, output_channels;
  int32_t stride_y, stride_x;
  int32_t dilation_y, dilation_x;
  int32_t padding_y, padding_x; /* before the first row and column */
  int32_t input_offset;         /* minus the input's zero point */
  int32_t output_offset;        /* the output's zero point */
  int32_t lowest, highest;
  const int8_t* weights; /* [output_channels][height][width][channels] */
  const int32_t* bias;
  const int32_t* multipliers;
  const int32_t* shifts;
} tinyml_nn_grouped_params;

void tinyml_nn_convolve_grouped_s8(const tinyml_nn_grouped_params* params, const int8_t* input,
                                   int8_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_GROUPED_H */
