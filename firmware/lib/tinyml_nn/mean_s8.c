#include "fixed_point.h"
#include "tinyml_nn.h"

void tinyml_nn_mean_s8(const tinyml_nn_mean_params* params, const int8_t* input, int8_t* output) {
  for (int32_t channel = 0; channel < params->channels; ++channel) {
    const int8_t* value = input + channel;
    int32_t sum = 0;
    for (int32_t position = 0; position < params->positions; ++position) {
      sum += *value;
      value += params->channels;
    }
    sum += params->input_offset * params->positions;
    output[channel] =
        (int8_t)clamp_s8(rescale(sum, params->multiplier, params->shift) + params->output_offset);
  }
}
