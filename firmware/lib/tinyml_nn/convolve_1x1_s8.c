/* CONV_2D with a window of one pixel. */
#include "columns.h"
#include "requantize.h"

/* One pixel; the last quad may be short, its missing values count as 0. */
static void fill_column(const int8_t* pixel, int32_t channels, uint8_t* column) {
  const int32_t quads = channels / kQuad, rest = channels % kQuad;
  column = tinyml_nn_widen(pixel, quads, column);
  if (rest == 0) return;
  int8_t last[kQuad] = {0};
  for (int32_t i = 0; i < rest; ++i) last[i] = pixel[quads * kQuad + i];
  tinyml_nn_widen(last, 1, column);
}

void tinyml_nn_convolve_1x1_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                               const int32_t* channels, uint8_t* scratch, int8_t* output) {
  const tinyml_nn_window* w = window;
  const int32_t depth = w->input_channels, quads = (depth + kQuad - 1) / kQuad;
  const int32_t step = w->stride_x * depth, row_step = w->stride_y * w->input_width * depth;
  /* Without strides the image is one row. */
  const int is_row = w->stride_x == 1 && w->stride_y == 1;
  const int32_t rows = is_row ? 1 : w->output_height;
  const int32_t width = is_row ? w->output_height * w->output_width : w->output_width;
  int8_t* to = output;
  for (int32_t y = 0; y < rows; ++y, input += row_step) {
    const int8_t* pixel = input;
    for (int32_t left = width; left > 0; left -= kColumns, pixel += kColumns * step) {
      const int32_t count = left < kColumns ? left : kColumns;
      if (count == kColumns && depth % kQuad == 0) {
        tinyml_nn_widen_three(pixel, step, 1, 0, quads, scratch);
      } else {
        for (int32_t i = 0; i < count; ++i) fill_column(pixel + i * step, depth, scratch + i * kWordBytes);
      }
      tinyml_nn_multiply_columns(w, scratch, count, quads, weights, channels, to);
      to += count * w->output_channels;
    }
  }
  clamp_outputs(output, w->output_height * w->output_width * w->output_channels, &w->activation);
}
