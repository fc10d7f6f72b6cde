#include "tinyml_nn_reduce.h"

/* `flip` is 0 for the largest value and -1 for the smallest: ~x reverses the order of int8 values. */
static void extremum(const tinyml_nn_sum_params* params, int8_t flip, const int8_t* input, int8_t* output) {
  const int32_t step = params->kept * params->second;
  for (int32_t outer = 0; outer < params->outer; ++outer) {
    for (int32_t kept = 0; kept < params->kept; ++kept) {
      const int8_t* corner = input + kept * params->second;
      int8_t best = INT8_MIN;
      for (int32_t i = 0; i < params->first; ++i) {
        for (int32_t j = 0; j < params->second; ++j) {
          const int8_t value = (int8_t)(corner[j] ^ flip);
          if (value > best) best = value;
        }
        corner += step;
      }
      *output++ = (int8_t)(best ^ flip);
    }
    input += params->first * step;
  }
}

void tinyml_nn_largest_s8(const tinyml_nn_sum_params* params, const int8_t* input, int8_t* output) {
  extremum(params, 0, input, output);
}

void tinyml_nn_smallest_s8(const tinyml_nn_sum_params* params, const int8_t* input, int8_t* output) {
  extremum(params, -1, input, output);
}
