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
  const int32_t quads = (w->input_channels + kQuad - 1) / kQuad;
  const int32_t step = w->stride_x * w->input_channels;
  const int32_t row_step = w->stride_y * w->input_width * w->input_channels;
  int8_t* to = output;
  int32_t waiting = 0;
  for (int32_t y = 0; y < w->output_height; ++y) {
    const int8_t* pixel = input + y * row_step;
    for (int32_t x = 0; x < w->output_width; ++x, pixel += step) {
      fill_column(pixel, w->input_channels, scratch + waiting * kWordBytes);
      if (++waiting < kColumns) continue;
      tinyml_nn_multiply_columns(w, scratch, kColumns, quads, weights, channels, to);
      to += kColumns * w->output_channels;
      waiting = 0;
    }
  }
  if (waiting > 0) tinyml_nn_multiply_columns(w, scratch, waiting, quads, weights, channels, to);
  clamp_outputs(output, w->output_height * w->output_width * w->output_channels, &w->activation);
}
