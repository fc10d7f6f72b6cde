#include <string.h>

#include "tinyml_nn_move.h"

int tinyml_nn_gather(const tinyml_nn_gather_params* params, const void* values, const int32_t* indices,
                     void* output) {
  const uint8_t* from = (const uint8_t*)values;
  uint8_t* to = (uint8_t*)output;
  for (int32_t i = 0; i < params->picked; ++i) {
    if (indices[i] < 0 || indices[i] >= params->count) return 1;
  }
  for (int32_t outer = 0; outer < params->outer; ++outer) {
    for (int32_t i = 0; i < params->picked; ++i) {
      memcpy(to, from + indices[i] * params->inner, (size_t)params->inner);
      to += params->inner;
    }
    from += params->count * params->inner;
  }
  return 0;
}
