/* CONV_2D: gathers the inputs under three windows, then multiplies them with all output channels. */
#include "columns.h"
#include "requantize.h"

/* Values common to all windows. */
typedef struct {
  const tinyml_nn_window* window;
  const int8_t* input;
  int8_t* values;         /* of one window, in working memory */
  int32_t quads;          /* of one window */
  int32_t row_values;     /* of one row of a window */
  int32_t row_step;       /* from a row of a window to the next */
  int32_t last_y, last_x; /* of windows that lie in the input */
} Layer;

static void copy_values(const int8_t* from, int32_t count, int8_t* to) {
  for (; count >= 4 * kQuad; count -= 4 * kQuad, from += 4 * kQuad, to += 4 * kQuad) {
    for (int quad = 0; quad < 4; ++quad) store_word(to + quad * kQuad, load_word(from + quad * kQuad));
  }
  for (; count >= kQuad; count -= kQuad, from += kQuad, to += kQuad) store_word(to, load_word(from));
  for (; count > 0; --count) *to++ = *from++;
}

/* Four values or more: the last word overlaps the one before it. */
static inline void copy_row(const int8_t* from, int32_t count, int8_t* to) {
  const int32_t last = count - kQuad;
  if (last > kQuad && last <= 2 * kQuad) { /* 3x3 windows of three channels */
    store_word(to, load_word(from));
    store_word(to + kQuad, load_word(from + kQuad));
  } else {
    for (int32_t i = 0; i < last; i += kQuad) store_word(to + i, load_word(from + i));
  }
  store_word(to + last, load_word(from + last));
}

/* The part of a window's row inside the input's row. */
static void gather_row(const tinyml_nn_window* w, int32_t x, const int8_t* row, int8_t* to) {
  const int32_t channels = w->input_channels, width = w->input_width;
  if (w->dilation_x == 1) {
    const int32_t first = x < 0 ? -x : 0, last = w->window_width < width - x ? w->window_width : width - x;
    copy_values(row + (x + first) * channels, (last - first) * channels, to + first * channels);
    return;
  }
  for (int32_t i = 0; i < w->window_width; ++i, x += w->dilation_x, to += channels) {
    if (x >= 0 && x < width) copy_values(row + x * channels, channels, to);
  }
}

/* Any window, value by value. Padding counts as the zero point; what follows the last value is left
 * unchanged. */
static __attribute__((noinline)) void fill_column(const Layer* layer, int32_t y, int32_t x, uint8_t* column) {
  const tinyml_nn_window* const w = layer->window;
  const uint32_t zero = (uint8_t)w->input_zero_point * UINT32_C(0x01010101);
  for (int32_t i = 0; i < layer->quads; ++i) store_word(layer->values + i * kQuad, zero);
  int8_t* values = layer->values;
  for (int32_t i = 0; i < w->window_height; ++i, y += w->dilation_y, values += layer->row_values) {
    if (y < 0 || y >= w->input_height) continue;
    gather_row(w, x, layer->input + y * w->input_width * w->input_channels, values);
  }
  tinyml_nn_widen(layer->values, layer->quads, column);
}

/* A window inside the input, without horizontal dilation: straight from the input if its rows are
 * whole quads. */
static void fill_inner_column(const Layer* layer, int32_t y, int32_t x, uint8_t* column) {
  const tinyml_nn_window* const w = layer->window;
  const int32_t row_values = layer->row_values, row_step = layer->row_step;
  const int8_t* row = layer->input + (y * w->input_width + x) * w->input_channels;
  int32_t rows = w->window_height;
  if (row_values % kQuad == 0) {
    tinyml_nn_widen_rows(row, rows, row_step, row_values / kQuad, column);
    return;
  }
  int8_t* to = layer->values;
  for (; rows > 0; --rows, row += row_step, to += row_values) copy_row(row, row_values, to);
  tinyml_nn_widen(layer->values, layer->quads, column);
}

typedef void (*Multiply)(const tinyml_nn_window*, const uint8_t*, int32_t, int32_t, const int8_t*,
                         const int32_t*, int8_t*);

static void convolve(const tinyml_nn_window* w, const int8_t* input, const int8_t* weights,
                     const int32_t* channels, uint8_t* scratch, Multiply multiply, int8_t* output) {
  const int32_t row_values = w->window_width * w->input_channels;
  const int32_t quads = (w->window_height * row_values + kQuad - 1) / kQuad;
  const Layer layer = {.window = w,
                       .input = input,
                       .values = (int8_t*)(scratch + quads * 2 * kColumnStep),
                       .quads = quads,
                       .row_values = row_values,
                       .row_step = w->input_width * w->input_channels * w->dilation_y,
                       .last_y = w->input_height - 1 - (w->window_height - 1) * w->dilation_y,
                       .last_x = w->input_width - 1 - (w->window_width - 1) * w->dilation_x};
  const int simple = w->dilation_x == 1 && row_values >= kQuad;
  int8_t* to = output;
  int32_t waiting = 0;
  for (int32_t i = 0, y = -w->padding_y; i < w->output_height; ++i, y += w->stride_y) {
    const int inner = simple && y >= 0 && y <= layer.last_y;
    for (int32_t j = 0, x = -w->padding_x; j < w->output_width; ++j, x += w->stride_x) {
      uint8_t* const column = scratch + waiting * kWordBytes;
      if (inner && x >= 0 && x <= layer.last_x) {
        fill_inner_column(&layer, y, x, column);
      } else {
        fill_column(&layer, y, x, column);
      }
      if (++waiting < kColumns) continue;
      multiply(w, scratch, kColumns, quads, weights, channels, to);
      to += kColumns * w->output_channels;
      waiting = 0;
    }
  }
  if (waiting > 0) multiply(w, scratch, waiting, quads, weights, channels, to);
  clamp_outputs(output, w->output_height * w->output_width * w->output_channels, &w->activation);
}

void tinyml_nn_convolve_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                           const int32_t* channels, uint8_t* scratch, int8_t* output) {
  convolve(window, input, weights, channels, scratch, tinyml_nn_multiply_columns, output);
}

void tinyml_nn_convolve_plain_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                                 const int32_t* channels, uint8_t* scratch, int8_t* output) {
  convolve(window, input, weights, channels, scratch, tinyml_nn_multiply_plain_columns, output);
}
