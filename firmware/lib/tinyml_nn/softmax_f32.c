#include <float.h>

#include "elementary_f32.h"
#include "tinyml_nn_f32.h"

static float maximum_of(const float* row, int32_t depth) {
  float maximum = -FLT_MAX;
  for (int32_t i = 0; i < depth; ++i) {
    if (maximum < row[i]) maximum = row[i];
  }
  return maximum;
}

void tinyml_nn_softmax_f32(int32_t rows, int32_t depth, float beta, const float* input, float* output) {
  for (; rows > 0; --rows, input += depth, output += depth) {
    const float maximum = maximum_of(input, depth);
    float sum = 0;
    for (int32_t i = 0; i < depth; ++i) {
      output[i] = tinyml_nn_exp_f32((input[i] - maximum) * beta);
      sum += output[i];
    }
    for (int32_t i = 0; i < depth; ++i) output[i] /= sum;
  }
}

void tinyml_nn_log_softmax_f32(int32_t rows, int32_t depth, const float* input, float* output) {
  for (; rows > 0; --rows, input += depth, output += depth) {
    const float maximum = maximum_of(input, depth);
    float sum = 0;
    for (int32_t i = 0; i < depth; ++i) sum += tinyml_nn_exp_f32(input[i] - maximum);
    const float log_sum = tinyml_nn_log_f32(sum);
    for (int32_t i = 0; i < depth; ++i) output[i] = input[i] - maximum - log_sum;
  }
}
