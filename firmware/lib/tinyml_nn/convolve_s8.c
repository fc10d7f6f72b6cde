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
  int32_t row_quads;      /* of these, whole ones */
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

/* What is left of every row of a window beside its whole quads. What follows the last value is left
 * unchanged. `row` may be layer->values or follow it. */
static void widen_rest(const Layer* layer, const int8_t* row, int32_t step, int32_t rest, uint8_t* column) {
  int8_t* to = layer->values;
  for (int32_t i = layer->window->window_height; i > 0; --i, row += step) {
    for (int32_t j = 0; j < rest; ++j) *to++ = row[j];
  }
  tinyml_nn_widen(layer->values, (layer->window->window_height * rest + kQuad - 1) / kQuad, column);
}

/* A window whose rows lie `step` bytes apart, in the order of the weights: the whole quads of every row, then
 * the rest of every row. */
static void widen_window(const Layer* layer, const int8_t* row, int32_t step, uint8_t* column) {
  const int32_t whole = layer->row_quads * kQuad, rest = layer->row_values - whole;
  column = tinyml_nn_widen_rows(row, layer->window->window_height, step, layer->row_quads, column);
  if (rest > 0) widen_rest(layer, row + whole, step, rest, column);
}

/* Any window, value by value. Padding counts as the zero point. */
static __attribute__((noinline)) void fill_column(const Layer* layer, int32_t y, int32_t x, uint8_t* column) {
  const tinyml_nn_window* const w = layer->window;
  const uint32_t zero = (uint8_t)w->input_zero_point * UINT32_C(0x01010101);
  for (int32_t i = 0; i < layer->quads; ++i) store_word(layer->values + i * kQuad, zero);
  int8_t* values = layer->values;
  for (int32_t i = 0; i < w->window_height; ++i, y += w->dilation_y, values += layer->row_values) {
    if (y < 0 || y >= w->input_height) continue;
    gather_row(w, x, layer->input + y * w->input_width * w->input_channels, values);
  }
  widen_window(layer, layer->values, layer->row_values, column);
}

/* A window inside the input, without horizontal dilation: straight from the input. */
static void fill_inner_column(const Layer* layer, int32_t y, int32_t x, uint8_t* column) {
  const tinyml_nn_window* const w = layer->window;
  widen_window(layer, layer->input + (y * w->input_width + x) * w->input_channels, layer->row_step, column);
}

/* Three such windows, one beside the other. */
static void fill_inner_columns(const Layer* layer, int32_t y, int32_t x, uint8_t* columns) {
  const tinyml_nn_window* const w = layer->window;
  const int8_t* row = layer->input + (y * w->input_width + x) * w->input_channels;
  const int32_t step = w->stride_x * w->input_channels, row_step = layer->row_step;
  const int32_t whole = layer->row_quads * kQuad, rest = layer->row_values - whole;
  uint8_t* column = tinyml_nn_widen_three(row, step, w->window_height, row_step, layer->row_quads, columns);
  row += whole;
  for (int i = 0; rest > 0 && i < kColumns; ++i, row += step, column += kWordBytes) {
    if (rest == 1 && w->window_height == 3) { /* 3x3 windows of three channels */
      store_word(column, two_lanes(row[0], row[2 * row_step]));
      store_word(column + kColumnStep, two_lanes(row[row_step], 0));
    } else {
      widen_rest(layer, row, row_step, rest, column);
    }
  }
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
                       .row_quads = row_values / kQuad,
                       .row_step = w->input_width * w->input_channels * w->dilation_y,
                       .last_y = w->input_height - 1 - (w->window_height - 1) * w->dilation_y,
                       .last_x = w->input_width - 1 - (w->window_width - 1) * w->dilation_x};
  const int simple = w->dilation_x == 1;
  int8_t* to = output;
  int32_t waiting = 0;
  for (int32_t i = 0, y = -w->padding_y; i < w->output_height; ++i, y += w->stride_y) {
    const int inner = simple && y >= 0 && y <= layer.last_y;
    for (int32_t j = 0, x = -w->padding_x; j < w->output_width;) {
      uint8_t* const column = scratch + waiting * kWordBytes;
      const int32_t last = x + (kColumns - 1) * w->stride_x;
      int32_t count = 1;
      if (inner && x >= 0 && waiting == 0 && last <= layer.last_x && j + kColumns <= w->output_width) {
        fill_inner_columns(&layer, y, x, scratch);
        count = kColumns;
      } else if (inner && x >= 0 && x <= layer.last_x) {
        fill_inner_column(&layer, y, x, column);
      } else {
        fill_column(&layer, y, x, column);
      }
      j += count;
      x += count * w->stride_x;
      waiting += count;
      if (waiting < kColumns) continue;
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
