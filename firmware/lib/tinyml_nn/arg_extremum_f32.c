#include "tinyml_nn_f32.h"

#define ARG_EXTREMUM(name, beats)                                                      \
  void name(const tinyml_nn_arg_params* params, const float* input, int32_t* output) { \
    for (int32_t outer = 0; outer < params->outer; ++outer) {                          \
      for (int32_t inner = 0; inner < params->inner; ++inner) {                        \
        const float* value = input + inner;                                            \
        float best_value = *value;                                                     \
        int32_t best = 0;                                                              \
        for (int32_t i = 1; i < params->count; ++i) {                                  \
          value += params->inner;                                                      \
          if (*value beats best_value) {                                               \
            best_value = *value;                                                       \
            best = i;                                                                  \
          }                                                                            \
        }                                                                              \
        *output++ = best;                                                              \
      }                                                                                \
      input += params->count * params->inner;                                          \
    }                                                                                  \
  }

ARG_EXTREMUM(tinyml_nn_arg_largest_f32, >)
ARG_EXTREMUM(tinyml_nn_arg_smallest_f32, <)
