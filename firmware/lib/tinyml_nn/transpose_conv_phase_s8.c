#include <string.h>

#include "tinyml_nn_transpose_conv.h"

void tinyml_nn_transpose_conv_phase_s8(const tinyml_nn_transpose_conv_phase* phase, const int8_t* input,
                                       const int8_t* weights, const int32_t* channels, uint8_t* scratch,
                                       int8_t* output) {
  const size_t pixel = (size_t)phase->window.output_channels;
  const size_t row_step = pixel * (size_t)(phase->output_width * phase->stride_y);
  int8_t* const line = (int8_t*)(scratch + phase->line);
  int8_t* row = output + pixel * (size_t)(phase->first_row * phase->output_width + phase->first_column);
  tinyml_nn_window window = phase->window;
  for (int32_t i = 0; i < phase->rows; ++i, --window.padding_y, row += row_step) {
    tinyml_nn_convolve_s8(&window, input, weights, channels, scratch, line);
    int8_t* to = row;
    for (int32_t j = 0; j < window.output_width; ++j, to += pixel * (size_t)phase->stride_x) {
      memcpy(to, line + (size_t)j * pixel, pixel);
    }
  }
}
