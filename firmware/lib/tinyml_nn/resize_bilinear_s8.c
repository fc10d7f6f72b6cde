#include "tinyml_nn_resize.h"

enum { kUnit = TINYML_NN_RESIZE_UNIT, kSquare = kUnit * kUnit, kHalf = kSquare / 2 };

void tinyml_nn_resize_bilinear_s8(const tinyml_nn_resize* resize, const int16_t* rows, const int16_t* columns,
                                  const int8_t* input, int8_t* output) {
  const int32_t channels = resize->channels, input_row = resize->input_width * channels;
  for (int32_t y = 0; y < resize->output_height; ++y, rows += 3) {
    const int8_t* top = input + rows[0] * input_row;
    const int8_t* bottom = input + rows[1] * input_row;
    const int32_t down = rows[2], up = kUnit - down;
    const int16_t* column = columns;
    for (int32_t x = 0; x < resize->output_width; ++x, column += 3) {
      const int32_t left = column[0] * channels, right = column[1] * channels;
      const int32_t to_right = column[2], to_left = kUnit - to_right;
      for (int32_t c = 0; c < channels; ++c) {
        const int32_t first = top[left + c] * up + bottom[left + c] * down;
        const int32_t second = top[right + c] * up + bottom[right + c] * down;
        const int32_t sum = first * to_left + second * to_right;
        *output++ = (int8_t)((sum + (sum > 0 ? kHalf : -kHalf)) / kSquare);
      }
    }
  }
}
