#include "tinyml_nn_reduce.h"

/* `flip` as in extremum_s8.c: 0 finds the largest value, -1 the smallest. */
static void arg_extremum(const tinyml_nn_arg_params* params, int8_t flip, const int8_t* input,
                         int32_t* output) {
  for (int32_t outer = 0; outer < params->outer; ++outer) {
    for (int32_t inner = 0; inner < params->inner; ++inner) {
      const int8_t* value = input + inner;
      int32_t best = 0;
      int8_t best_value = (int8_t)(*value ^ flip);
      for (int32_t i = 1; i < params->count; ++i) {
        value += params->inner;
        const int8_t flipped = (int8_t)(*value ^ flip);
        if (flipped > best_value) {
          best_value = flipped;
          best = i;
        }
      }
      *output++ = best;
    }
    input += params->count * params->inner;
  }
}

void tinyml_nn_arg_largest_s8(const tinyml_nn_arg_params* params, const int8_t* input, int32_t* output) {
  arg_extremum(params, 0, input, output);
}

void tinyml_nn_arg_smallest_s8(const tinyml_nn_arg_params* params, const int8_t* input, int32_t* output) {
  arg_extremum(params, -1, input, output);
}
