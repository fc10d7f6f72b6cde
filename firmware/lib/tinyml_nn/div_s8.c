#include "exponential.h"
#include "tinyml_nn_s32.h"

enum { kWordBits = 31, kLargestShift = 31, kBeyond = 1 << 16 };

/* x shifted until its highest bits differ, and by how much. */
static int32_t normalised(int32_t x, int* shift) {
  *shift = leading_zeros(2 * (uint32_t)(x < 0 ? ~x : x) + 1);
  return (int32_t)((uint32_t)x << *shift);
}

/* a / b on the output's scale; 1 / b by Newton's steps in Q0.31. */
static int32_t quotient(int32_t a, int32_t b, const tinyml_nn_div_s8_params* p) {
  if (a == 0) return 0;
  if (b == 0) return a < 0 ? -kBeyond : kBeyond;
  if (b < 0) {
    a = -a;
    b = -b;
  }
  const int zeros = leading_zeros((uint32_t)b);
  const uint32_t fraction = ((uint32_t)b << zeros) - (UINT32_C(1) << kWordBits);
  const int32_t inverse = tinyml_nn_reciprocal_of_one_plus((int32_t)fraction);
  int headroom;
  const int32_t unscaled = multiply_q31(normalised(a, &headroom), inverse);
  const int shift = p->shift - (kWordBits - zeros) - headroom;
  if (shift < -kLargestShift) return 0;
  return divide_by_power_of_two(multiply_q31(unscaled, p->multiplier), -shift);
}

void tinyml_nn_div_s8(const void* params, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                      int8_t* output, int32_t count) {
  const tinyml_nn_div_s8_params* const p = params;
  for (; count > 0; --count, a += a_step, b += b_step) {
    const int32_t value = p->output_offset + quotient(*a + p->a_offset, *b + p->b_offset, p);
    *output++ = (int8_t)(value < p->lowest ? p->lowest : value > p->highest ? p->highest : value);
  }
}
