#include "fixed_point.h"
#include "tinyml_nn_grouped.h"

/* The sum over one window: `corner_y`, `corner_x` is its first element, possibly outside the image. */
static int32_t window_sum(const tinyml_nn_grouped_params* p, const int8_t* input, const int8_t* weights,
                          int32_t corner_y, int32_t corner_x) {
  int32_t sum = 0;
  for (int32_t i = 0; i < p->height; ++i) {
    const int32_t y = corner_y + i * p->dilation_y;
    for (int32_t j = 0; j < p->width; ++j, weights += p->channels) {
      const int32_t x = corner_x + j * p->dilation_x;
      if (y < 0 || y >= p->input_height || x < 0 || x >= p->input_width) continue;
      const int8_t* pixel = input + (y * p->input_width + x) * p->input_channels;
      for (int32_t c = 0; c < p->channels; ++c) sum += weights[c] * (pixel[c] + p->input_offset);
    }
  }
  return sum;
}

void tinyml_nn_convolve_grouped_s8(const tinyml_nn_grouped_params* params, const int8_t* input,
                                   int8_t* output) {
  const tinyml_nn_grouped_params* p = params;
  const int32_t window = p->height * p->width * p->channels;
  const int32_t outputs_of_group = p->output_channels / (p->input_channels / p->channels);
  for (int32_t y = 0; y < p->output_height; ++y) {
    for (int32_t x = 0; x < p->output_width; ++x) {
      for (int32_t channel = 0; channel < p->output_channels; ++channel) {
        const int8_t* group = input + channel / outputs_of_group * p->channels;
        const int32_t sum = window_sum(p, group, p->weights + channel * window,
                                       y * p->stride_y - p->padding_y, x * p->stride_x - p->padding_x);
        const int32_t scaled = rescale(sum + p->bias[channel], p->multipliers[channel], p->shifts[channel]);
        const int32_t value = scaled + p->output_offset;
        *output++ = (int8_t)(value < p->lowest ? p->lowest : value > p->highest ? p->highest : value);
      }
    }
  }
}
