/* CONV_2D: gathers the inputs under three windows, then multiplies them with all output channels. */
#include "columns.h"
#include "requantize.h"

/* Where a window lies in the input; rows and columns outside of it count as the zero point. */
typedef struct {
  int32_t y, x;
  int32_t inside;
} Place;

static Place place_of(const tinyml_nn_window* w, int32_t output_y, int32_t output_x) {
  const int32_t y = output_y * w->stride_y - w->padding_y, x = output_x * w->stride_x - w->padding_x;
  const int32_t inside = y >= 0 && y + (w->window_height - 1) * w->dilation_y < w->input_height && x >= 0 &&
                         x + (w->window_width - 1) * w->dilation_x < w->input_width;
  return (Place){y, x, inside};
}

static void copy_values(const int8_t* from, int32_t count, int8_t* to) {
  for (; count >= kQuad; count -= kQuad, from += kQuad, to += kQuad) store_word(to, load_word(from));
  for (; count > 0; --count) *to++ = *from++;
}

/* `count` > 0 values and up to three more. */
static inline void copy_quads(const int8_t* from, int32_t count, int8_t* to) {
  for (; count > 0; count -= kQuad, from += kQuad, to += kQuad) store_word(to, load_word(from));
}

/* The part of a window's row that lies in the input's row. */
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

/* A whole window as int8 values, padded to quads by whatever `values` held. */
static void gather(const tinyml_nn_window* w, Place place, const int8_t* input, int32_t quads,
                   int8_t* values) {
  const int32_t row_values = w->window_width * w->input_channels;
  const int32_t row_step = w->input_width * w->input_channels;
  if (!place.inside) {
    const uint32_t zero = (uint8_t)w->input_zero_point * UINT32_C(0x01010101);
    for (int32_t quad = 0; quad < quads; ++quad) store_word(values + quad * kQuad, zero);
  }
  for (int32_t i = 0; i < w->window_height; ++i, values += row_values) {
    const int32_t y = place.y + i * w->dilation_y;
    if (y >= 0 && y < w->input_height) gather_row(w, place.x, input + y * row_step, values);
  }
}

/* Fills one column: straight from the input where a window's rows are whole quads. */
static void fill_column(const tinyml_nn_window* w, Place place, const int8_t* input, int32_t quads,
                        int8_t* values, uint8_t* column) {
  const int32_t row_values = w->window_width * w->input_channels;
  const int32_t row_step = w->input_width * w->input_channels * w->dilation_y;
  const int8_t* row = input + (place.y * w->input_width + place.x) * w->input_channels;
  int32_t rows = w->window_height;
  if (!place.inside || w->dilation_x != 1 || row_values < kQuad) {
    gather(w, place, input, quads, values);
    tinyml_nn_widen(values, quads, column);
  } else if (row_values % kQuad == 0) {
    for (; rows > 0; --rows, row += row_step) column = tinyml_nn_widen(row, row_values / kQuad, column);
  } else {
    /* What is copied beyond a row, the next row covers; the last row must not read too far. */
    int8_t* to = values;
    for (; rows > 1; --rows, row += row_step, to += row_values) copy_quads(row, row_values, to);
    copy_values(row, row_values, to);
    tinyml_nn_widen(values, quads, column);
  }
}

void tinyml_nn_convolve_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                           const int32_t* channels, uint8_t* scratch, int8_t* output) {
  const tinyml_nn_window* w = window;
  const int32_t quads = (w->window_height * w->window_width * w->input_channels + kQuad - 1) / kQuad;
  int8_t* const values = (int8_t*)(scratch + quads * 2 * kColumnStep);
  int8_t* to = output;
  int32_t waiting = 0;
  for (int32_t y = 0; y < w->output_height; ++y) {
    for (int32_t x = 0; x < w->output_width; ++x) {
      fill_column(w, place_of(w, y, x), input, quads, values, scratch + waiting * kWordBytes);
      if (++waiting < kColumns) continue;
      tinyml_nn_multiply_columns(w, scratch, kColumns, quads, weights, channels, to);
      to += kColumns * w->output_channels;
      waiting = 0;
    }
  }
  if (waiting > 0) tinyml_nn_multiply_columns(w, scratch, waiting, quads, weights, channels, to);
  clamp_outputs(output, w->output_height * w->output_width * w->output_channels, &w->activation);
}
