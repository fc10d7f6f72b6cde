#include "elementary_f32.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline double double_of(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* 2^(i/32) without i/32 in its exponent, so that a multiple of 2^47 can be added for the exponent. */
static const uint64_t kPower[32] = {
    UINT64_C(0x3ff0000000000000), UINT64_C(0x3fefd9b0d3158574), UINT64_C(0x3fefb5586cf9890f),
    UINT64_C(0x3fef9301d0125b51), UINT64_C(0x3fef72b83c7d517b), UINT64_C(0x3fef54873168b9aa),
    UINT64_C(0x3fef387a6e756238), UINT64_C(0x3fef1e9df51fdee1), UINT64_C(0x3fef06fe0a31b715),
    UINT64_C(0x3feef1a7373aa9cb), UINT64_C(0x3feedea64c123422), UINT64_C(0x3feece086061892d),
    UINT64_C(0x3feebfdad5362a27), UINT64_C(0x3feeb42b569d4f82), UINT64_C(0x3feeab07dd485429),
    UINT64_C(0x3feea47eb03a5585), UINT64_C(0x3feea09e667f3bcd), UINT64_C(0x3fee9f75e8ec5f74),
    UINT64_C(0x3feea11473eb0187), UINT64_C(0x3feea589994cce13), UINT64_C(0x3feeace5422aa0db),
    UINT64_C(0x3feeb737b0cdc5e5), UINT64_C(0x3feec49182a3f090), UINT64_C(0x3feed503b23e255d),
    UINT64_C(0x3feee89f995ad3ad), UINT64_C(0x3feeff76f2fb5e47), UINT64_C(0x3fef199bdd85529c),
    UINT64_C(0x3fef3720dcef9069), UINT64_C(0x3fef5818dcfba487), UINT64_C(0x3fef7c97337b9b5f),
    UINT64_C(0x3fefa4afa2a490da), UINT64_C(0x3fefd0765b6e4540),
};

/* exp(x) = 2^(k/32) * 2^(r/32) with k an integer, |r| <= 1/2, and a polynomial of r, in double precision. */
float tinyml_nn_exp_f32(float x) {
  const double kInverse = 0x1.71547652b82fep+0 * 32; /* 32 / ln 2 */
  const double kShift = 0x1.8p+52;                   /* added and subtracted, it rounds to an integer */
  if (x != x) return x;
  if (x > 0x1.62e42ep6f) return INFINITY;
  if (x < -0x1.9fe368p6f) return 0.0f;
  const double z = kInverse * (double)x;
  const double shifted = z + kShift;
  uint64_t k;
  memcpy(&k, &shifted, sizeof k);
  const double r = z - (shifted - kShift);
  const double scale = double_of(kPower[k % 32] + (k << 47));
  const double high = 0x1.c6af84b912394p-5 / 32 / 32 / 32 * r + 0x1.ebfce50fac4f3p-3 / 32 / 32;
  const double low = 0x1.62e42ff0c52d6p-1 / 32 * r + 1;
  return (float)((high * (r * r) + low) * scale);
}

/* 1/c and ln c for c near the middle of sixteen parts of [0.7, 1.4). */
static const double kLog[16][2] = {
    {0x1.661ec79f8f3bep+0, -0x1.57bf7808caadep-2}, {0x1.571ed4aaf883dp+0, -0x1.2bef0a7c06ddbp-2},
    {0x1.49539f0f010bp+0, -0x1.01eae7f513a67p-2},  {0x1.3c995b0b80385p+0, -0x1.b31d8a68224e9p-3},
    {0x1.30d190c8864a5p+0, -0x1.6574f0ac07758p-3}, {0x1.25e227b0b8eap+0, -0x1.1aa2bc79c81p-3},
    {0x1.1bb4a4a1a343fp+0, -0x1.a4e76ce8c0e5ep-4}, {0x1.12358f08ae5bap+0, -0x1.1973c5a611cccp-4},
    {0x1.0953f419900a7p+0, -0x1.252f438e10c1ep-5}, {0x1p+0, 0x0p+0},
    {0x1.e608cfd9a47acp-1, 0x1.aa5aa5df25984p-5},  {0x1.ca4b31f026aap-1, 0x1.c5e53aa362eb4p-4},
    {0x1.b2036576afce6p-1, 0x1.526e57720db08p-3},  {0x1.9c2d163a1aa2dp-1, 0x1.bc2860d22477p-3},
    {0x1.886e6037841edp-1, 0x1.1058bc8a07ee1p-2},  {0x1.767dcf5534862p-1, 0x1.4043057b6ee09p-2},
};

/* ln(2^k z) = k ln 2 + ln c + ln(z/c), the last by a polynomial of z/c - 1, in double precision. */
float tinyml_nn_log_f32(float x) {
  uint32_t bits = bits_of(x);
  if (bits == UINT32_C(0x3F800000)) return 0.0f;
  if (bits - UINT32_C(0x00800000) >= UINT32_C(0x7F000000)) {
    if (bits * 2 == 0) return -INFINITY;
    if (x != x || bits == UINT32_C(0x7F800000)) return x;
    if (bits & UINT32_C(0x80000000)) return NAN;
    bits = bits_of(x * 0x1p23f) - (UINT32_C(23) << 23);
  }
  const uint32_t above = bits - UINT32_C(0x3F330000);
  const double* const part = kLog[(above >> 19) % 16];
  const int32_t k = (int32_t)above >> 23;
  const double z = (double)float_of(bits - (above & UINT32_C(0xFF800000)));
  const double r = z * part[0] - 1;
  const double whole = part[1] + (double)k * 0x1.62e42fefa39efp-1;
  const double r2 = r * r;
  double y = 0x1.5575b0be00b6ap-2 * r + -0x1.ffffef20a4123p-2;
  y = -0x1.00ea348b88334p-2 * r2 + y;
  y = y * r2 + (whole + r);
  return (float)y;
}

static inline float times_power_of_two(float x, int32_t exponent) {
  return float_of(bits_of(x) + ((uint32_t)exponent << 23));
}

/* x = k ln 2 + r with |r| <= ln 2 / 2; `rest` is what is lost of r in single precision. */
static int32_t reduce(float x, uint32_t magnitude, float* r, float* rest) {
  const float kHigh = 6.9313812256e-01f, kLow = 9.0580006145e-06f; /* ln 2 in two parts */
  int32_t k = x < 0 ? -1 : 1;
  if (magnitude >= UINT32_C(0x3F851592)) { /* |x| >= 1.5 ln 2 */
    k = (int32_t)(1.4426950216e+00f * x + (x < 0 ? -0.5f : 0.5f));
  }
  const float high = x - (float)k * kHigh, low = (float)k * kLow;
  *r = high - low;
  *rest = (high - *r) - low;
  return k;
}

float tinyml_nn_expm1_f32(float x) {
  const uint32_t magnitude = bits_of(x) & UINT32_C(0x7FFFFFFF);
  if (magnitude > UINT32_C(0x7F800000)) return x;               /* NaN */
  if (magnitude >= UINT32_C(0x4195B844) && x < 0) return -1.0f; /* x <= -27 ln 2 */
  if (magnitude >= UINT32_C(0x42B17218) && x > 88.7216796875f) return INFINITY;
  if (magnitude < UINT32_C(0x33000000)) return x; /* |x| < 2^-25 */
  float r = x, rest = 0;
  const int32_t k = magnitude > UINT32_C(0x3EB17218) ? reduce(x, magnitude, &r, &rest) : 0;
  const float half = 0.5f * r, square = r * half;
  const float q =
      1.0f + square * (-3.3333335072e-02f +
                       square * (1.5873016091e-03f +
                                 square * (-7.9365076090e-05f +
                                           square * (4.0082177293e-06f + square * -2.0109921195e-07f))));
  float t = 3.0f - q * half;
  float e = square * ((q - t) / (6.0f - r * t));
  if (k == 0) return r - (r * e - square);
  e = r * (e - rest) - rest;
  e -= square;
  if (k == -1) return 0.5f * (r - e) - 0.5f;
  if (k == 1) return r < -0.25f ? -2.0f * (e - (r + 0.5f)) : 1.0f + 2.0f * (r - e);
  if (k <= -2 || k > 56) return times_power_of_two(1.0f - (e - r), k) - 1.0f;
  if (k < 23) {
    t = float_of(UINT32_C(0x3F800000) - (UINT32_C(0x1000000) >> k)); /* 1 - 2^-k */
    return times_power_of_two(t - (e - r), k);
  }
  t = float_of((uint32_t)(0x7F - k) << 23); /* 2^-k */
  return times_power_of_two(r - (e + t) + 1.0f, k);
}

float tinyml_nn_tanh_f32(float x) {
  const uint32_t magnitude = bits_of(x) & UINT32_C(0x7FFFFFFF);
  const float absolute = float_of(magnitude);
  if (x != x) return x;
  if (magnitude < UINT32_C(0x24000000)) return x * (1.0f + x); /* |x| < 2^-55 */
  float z = 1.0f;
  if (magnitude < UINT32_C(0x41B00000)) { /* |x| < 22 */
    if (magnitude >= UINT32_C(0x3F800000)) {
      z = 1.0f - 2.0f / (tinyml_nn_expm1_f32(2.0f * absolute) + 2.0f);
    } else {
      const float t = tinyml_nn_expm1_f32(-2.0f * absolute);
      z = -t / (t + 2.0f);
    }
  }
  return x < 0 ? -z : z;
}
