#include "exponential.h"
#include "fixed_point.h"
#include "tinyml_nn.h"

enum { kNewtonSteps = 5, kMostBits = 29, kOutputBits = 7 };
enum { kOneAndAHalf = 402653184, kHalfRootOfTwo = 1518500250 }; /* in Q3.28 and in Q0.31 */

/* real = significand * 2^(shift - 31) */
typedef struct {
  int32_t significand;
  int shift;
} Factor;

/* 1 / sqrt(x) for x >= 0 by Newton's method in Q3.28; 1 for 0. */
static Factor inverse_root(int32_t x) {
  if (x <= 1) return (Factor){INT32_MAX, 0};
  int right = 11;
  for (; x >= (1 << kMostBits); x /= 4) ++right;
  const int pairs = (leading_zeros((uint32_t)x) - 1) / 2 - 1;
  right -= pairs;
  const int32_t half = divide_by_power_of_two((x << (2 * pairs)) >> 1, 1);
  int32_t root = 1 << 28;
  for (int i = 0; i < kNewtonSteps; ++i) {
    const int32_t cube = shift_left_saturated(multiply_q31(multiply_q31(root, root), root), 6);
    root = shift_left_saturated(multiply_q31(kOneAndAHalf, root) - multiply_q31(half, cube), 3);
  }
  root = multiply_q31(root, kHalfRootOfTwo);
  return right < 0 ? (Factor){root << -right, 0} : (Factor){root, -right};
}

void tinyml_nn_l2_normalize_s8(const tinyml_nn_l2_normalize_params* params, const int8_t* input,
                               int8_t* output) {
  const int8_t* const end = input + params->rows * params->depth;
  for (; input != end; input += params->depth, output += params->depth) {
    int32_t squares = 0;
    for (int32_t i = 0; i < params->depth; ++i) {
      const int32_t value = input[i] + params->input_offset;
      squares += value * value;
    }
    const Factor factor = inverse_root(squares);
    for (int32_t i = 0; i < params->depth; ++i) {
      const int32_t value = input[i] + params->input_offset;
      output[i] = (int8_t)clamp_s8(rescale(value, factor.significand, factor.shift + kOutputBits));
    }
  }
}
