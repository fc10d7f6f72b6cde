#include "elementary_f32.h"
#include "tinyml_nn_f32.h"

void tinyml_nn_clamp_f32(float lowest, float highest, const float* input, float* output, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    const float x = input[i];
    output[i] = x > highest ? highest : x < lowest ? lowest : x;
  }
}

void tinyml_nn_leaky_relu_f32(float slope, const float* input, float* output, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    const float x = input[i];
    output[i] = x > 0 ? x : x * slope;
  }
}

#define UNARY(name, result)                                     \
  void name(const float* input, float* output, int32_t count) { \
    for (int32_t i = 0; i < count; ++i) {                       \
      const float x = input[i];                                 \
      output[i] = (result);                                     \
    }                                                           \
  }

static inline float between_0_and_6(float x) {
  const float positive = 0.0f < x ? x : 0.0f;
  return positive < 6.0f ? positive : 6.0f;
}

/* Above, 1 + exp(-x) is 1. */
static const float kSaturated = 16.619047164916992188f;

static inline float logistic(float x) {
  if (x > kSaturated) return 1.0f;
  if (x < -9.0f) return tinyml_nn_exp_f32(x);
  return 1.0f / (1.0f + tinyml_nn_exp_f32(-x));
}

UNARY(tinyml_nn_abs_f32, __builtin_fabsf(x))
UNARY(tinyml_nn_hard_swish_f32, x* between_0_and_6(x + 3.0f) / 6.0f)
UNARY(tinyml_nn_elu_f32, x < 0 ? tinyml_nn_expm1_f32(x) : x)
UNARY(tinyml_nn_logistic_f32, logistic(x))
UNARY(tinyml_nn_hyperbolic_tangent_f32, tinyml_nn_tanh_f32(x))
UNARY(tinyml_nn_exponential_f32, tinyml_nn_exp_f32(x))
UNARY(tinyml_nn_logarithm_f32, tinyml_nn_log_f32(x))
