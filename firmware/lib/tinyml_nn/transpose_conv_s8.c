/* By output pixel, so that no sums need memory: the windows that cover it start `stride` apart. */
#include "fixed_point.h"
#include "simd.h"
#include "tinyml_nn_transpose_conv.h"

/* The sum of (value + offset) * weight, modulo 2^32; `offsets` holds the offset in both lanes. */
static uint32_t dot(const int8_t* values, const int8_t* weights, int32_t count, uint32_t offsets,
                    uint32_t sum) {
  for (; count >= 4; count -= 4, values += 4, weights += 4) {
    const uint32_t four = load_word(values), factors = load_word(weights);
    sum = multiply_lanes(add_lanes(widen_even(four), offsets), widen_even(factors), sum);
    sum = multiply_lanes(add_lanes(widen_odd(four), offsets), widen_odd(factors), sum);
  }
  for (; count > 0; --count) sum += (uint32_t)((*values++ + low_lane(offsets)) * *weights++);
  return sum;
}

/* Along one direction, the first of the window's lines that meet a line of the output, and the line of the
 * input that it belongs to: the next ones are a stride further, and one line of the input earlier. */
typedef struct {
  int32_t tap, line;
} meeting;

static meeting first_meeting(int32_t output_line, int32_t stride) {
  const meeting first = {output_line % stride, output_line / stride};
  return first;
}

/* What all windows add to one value of the output. */
static int32_t window_sum(const tinyml_nn_transpose_conv_params* p, const int8_t* input,
                          const int8_t* weights, meeting row, meeting first, int32_t bias) {
  const uint32_t offsets = two_lanes(p->input_offset, p->input_offset);
  uint32_t sum = (uint32_t)bias;
  for (; row.tap < p->window_height && row.line >= 0; row.tap += p->stride_y, --row.line) {
    if (row.line >= p->input_height) continue;
    meeting column = first;
    for (; column.tap < p->window_width && column.line >= 0; column.tap += p->stride_x, --column.line) {
      if (column.line >= p->input_width) continue;
      sum = dot(input + (row.line * p->input_width + column.line) * p->input_channels,
                weights + (row.tap * p->window_width + column.tap) * p->input_channels, p->input_channels,
                offsets, sum);
    }
  }
  return (int32_t)sum;
}

void tinyml_nn_transpose_conv_s8(const tinyml_nn_transpose_conv_params* params, const int8_t* input,
                                 int8_t* output) {
  const tinyml_nn_transpose_conv_params* p = params;
  const int32_t window = p->window_height * p->window_width * p->input_channels;
  for (int32_t y = 0; y < p->output_height; ++y) {
    const meeting row = first_meeting(y + p->padding_y, p->stride_y);
    for (int32_t x = 0; x < p->output_width; ++x) {
      const meeting column = first_meeting(x + p->padding_x, p->stride_x);
      for (int32_t channel = 0; channel < p->output_channels; ++channel) {
        const int32_t sum =
            window_sum(p, input, p->weights + channel * window, row, column, p->bias[channel]);
        const int32_t value = rescale(sum, p->multipliers[channel], p->shifts[channel]) + p->output_offset;
        *output++ = (int8_t)(value < p->lowest ? p->lowest : value > p->highest ? p->highest : value);
      }
    }
  }
}
