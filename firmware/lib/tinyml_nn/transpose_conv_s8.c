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

/* What all windows add to one value of the output; `y` and `x` count from the first window's corner. */
static int32_t window_sum(const tinyml_nn_transpose_conv_params* p, const int8_t* input,
                          const int8_t* weights, int32_t y, int32_t x, int32_t bias) {
  const uint32_t offsets = two_lanes(p->input_offset, p->input_offset);
  uint32_t sum = (uint32_t)bias;
  for (int32_t i = y % p->stride_y; i < p->window_height && i <= y; i += p->stride_y) {
    const int32_t row = (y - i) / p->stride_y;
    if (row >= p->input_height) continue;
    for (int32_t j = x % p->stride_x; j < p->window_width && j <= x; j += p->stride_x) {
      const int32_t column = (x - j) / p->stride_x;
      if (column >= p->input_width) continue;
      sum = dot(input + (row * p->input_width + column) * p->input_channels,
                weights + (i * p->window_width + j) * p->input_channels, p->input_channels, offsets, sum);
    }
  }
  return (int32_t)sum;
}

void tinyml_nn_transpose_conv_s8(const tinyml_nn_transpose_conv_params* params, const int8_t* input,
                                 int8_t* output) {
  const tinyml_nn_transpose_conv_params* p = params;
  const int32_t window = p->window_height * p->window_width * p->input_channels;
  for (int32_t y = 0; y < p->output_height; ++y) {
    for (int32_t x = 0; x < p->output_width; ++x) {
      for (int32_t channel = 0; channel < p->output_channels; ++channel) {
        const int32_t sum = window_sum(p, input, p->weights + channel * window, y + p->padding_y,
                                       x + p->padding_x, p->bias[channel]);
        const int32_t value = rescale(sum, p->multipliers[channel], p->shifts[channel]) + p->output_offset;
        *output++ = (int8_t)(value < p->lowest ? p->lowest : value > p->highest ? p->highest : value);
      }
    }
  }
}
