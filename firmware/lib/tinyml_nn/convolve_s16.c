/* CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED and the phases of TRANSPOSE_CONV on int16 activations. */
#include "fixed_point.h"
#include "simd.h"
#include "tinyml_nn_s16.h"

static inline int64_t dot(const int16_t* values, const int8_t* weights, int32_t count, int64_t sum) {
  for (; count >= 4; count -= 4, values += 4, weights += 4) {
    const uint32_t first = load_word(values), second = load_word(values + 2), four = load_word(weights);
    sum = multiply_lanes_long(widen_even(four), pair_low(first, second), sum);
    sum = multiply_lanes_long(widen_odd(four), pair_high(first, second), sum);
  }
  for (; count > 0; --count) sum += (int32_t)*values++ * *weights++;
  return sum;
}

/* The sum over the window that begins at y, x; `input` is the first channel that the filter sees. */
static int64_t window_sum(const tinyml_nn_convolution_s16* c, const int16_t* input, const int8_t* weights,
                          int32_t y, int32_t x) {
  const tinyml_nn_window* const w = &c->window;
  const int32_t channels = w->input_channels, share = c->filter_channels, dilation = w->dilation_x;
  const int32_t before = x < 0 ? (-x + dilation - 1) / dilation : 0;
  const int32_t inside = x < w->input_width ? (w->input_width - x + dilation - 1) / dilation : 0;
  const int32_t end = inside < w->window_width ? inside : w->window_width;
  const int is_run = share == channels && dilation == 1;
  int64_t sum = 0;
  for (int32_t i = 0; i < w->window_height; ++i, y += w->dilation_y, weights += w->window_width * share) {
    if (y < 0 || y >= w->input_height || before >= end) continue;
    const int16_t* pixel = input + (y * w->input_width + x + before * dilation) * channels;
    if (is_run) {
      sum = dot(pixel, weights + before * share, (end - before) * share, sum);
      continue;
    }
    for (int32_t j = before; j < end; ++j, pixel += dilation * channels) {
      sum = dot(pixel, weights + j * share, share, sum);
    }
  }
  return sum;
}

static int16_t output_of(const tinyml_nn_convolution_s16* c, int32_t channel, int64_t sum) {
  const int32_t multiplier = c->multipliers[channel], shift = c->shifts[channel];
  const int64_t biased = sum + c->bias[channel];
  const int32_t value =
      c->is_wide ? rescale_long(biased, multiplier, shift) : rescale((int32_t)biased, multiplier, shift);
  const tinyml_nn_range range = c->window.activation;
  return (int16_t)(value < range.lowest ? range.lowest : value > range.highest ? range.highest : value);
}

void tinyml_nn_convolve_s16(const tinyml_nn_convolution_s16* convolution, const int16_t* input,
                            int16_t* output) {
  const tinyml_nn_convolution_s16* const c = convolution;
  const tinyml_nn_window* const w = &c->window;
  const int32_t filter = w->window_height * w->window_width * c->filter_channels;
  const int32_t outputs_of_group = w->output_channels / (w->input_channels / c->filter_channels);
  for (int32_t i = 0, y = -w->padding_y; i < w->output_height; ++i, y += w->stride_y) {
    int16_t* to = output + i * c->output_row_step;
    for (int32_t j = 0, x = -w->padding_x; j < w->output_width; ++j, x += w->stride_x) {
      for (int32_t channel = 0; channel < w->output_channels; ++channel) {
        const int16_t* group = input + channel / outputs_of_group * c->filter_channels;
        to[channel] = output_of(c, channel, window_sum(c, group, c->weights + channel * filter, y, x));
      }
      to += c->output_step;
    }
  }
}
