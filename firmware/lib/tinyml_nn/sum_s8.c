#include "fixed_point.h"
#include "tinyml_nn_reduce.h"

static int32_t sum_of(const tinyml_nn_sum_params* params, const int8_t* corner) {
  const int32_t step = params->kept * params->second;
  int32_t sum = 0;
  for (int32_t i = 0; i < params->first; ++i) {
    for (int32_t j = 0; j < params->second; ++j) sum += corner[j];
    corner += step;
  }
  return sum;
}

void tinyml_nn_sum_s8(const tinyml_nn_sum_params* params, const int8_t* input, int8_t* output) {
  const int32_t offset = params->input_offset * params->first * params->second;
  for (int32_t outer = 0; outer < params->outer; ++outer) {
    for (int32_t kept = 0; kept < params->kept; ++kept) {
      const int32_t sum = sum_of(params, input + kept * params->second) + offset;
      *output++ = (int8_t)clamp_s8(rescale(sum, params->multiplier, params->shift) + params->output_offset);
    }
    input += params->first * params->kept * params->second;
  }
}
