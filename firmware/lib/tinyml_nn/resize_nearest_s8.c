#include <string.h>

#include "tinyml_nn_resize.h"

void tinyml_nn_resize_nearest_s8(const tinyml_nn_resize* resize, const int16_t* rows, const int16_t* columns,
                                 const int8_t* input, int8_t* output) {
  const int32_t channels = resize->channels, output_row = resize->output_width * channels;
  for (int32_t y = 0; y < resize->output_height; ++y, output += output_row) {
    if (y > 0 && rows[y] == rows[y - 1]) {
      memcpy(output, output - output_row, (size_t)output_row);
      continue;
    }
    const int8_t* row = input + rows[y] * resize->input_width * channels;
    int8_t* pixel = output;
    for (int32_t x = 0; x < resize->output_width; ++x, pixel += channels) {
      memcpy(pixel, row + columns[x] * channels, (size_t)channels);
    }
  }
}
