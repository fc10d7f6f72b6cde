#include <stddef.h>

#include "elementary_f32.h"
#include "tinyml_nn_f32.h"

void tinyml_nn_fully_connected_f32(const tinyml_nn_dense_f32* dense, const float* input, const float* weights,
                                   const float* bias, float* output) {
  const tinyml_nn_range_f32 range = dense->activation;
  for (int32_t row = 0; row < dense->rows; ++row, input += dense->inputs) {
    const float* weight = weights;
    for (int32_t channel = 0; channel < dense->outputs; ++channel) {
      float sum = 0;
      for (int32_t i = 0; i < dense->inputs; ++i) sum += input[i] * *weight++;
      sum += bias == NULL ? 0.0f : bias[channel];
      sum = sum < range.lowest ? range.lowest : sum;
      *output++ = range.highest < sum ? range.highest : sum;
    }
  }
}
