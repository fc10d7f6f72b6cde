/* Two int16 lanes in a 32-bit word: the DSP instructions of Armv7E-M, and the same arithmetic in plain C.
 *
 * Words are little-endian: lane "low" is the int16 at the lower address. Arithmetic wraps like the
 * hardware's.
 */
#ifndef TINYML_NN_SIMD_H
#define TINYML_NN_SIMD_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP && defined(__thumb2__)
#define TINYML_NN_DSP 1
#else
#define TINYML_NN_DSP 0
#endif

/* Unaligned; compiles to one load or store. */
static inline uint32_t load_word(const void* from) {
  uint32_t word;
  memcpy(&word, from, sizeof word);
  return word;
}

static inline void store_word(void* to, uint32_t word) {
  memcpy(to, &word, sizeof word);
}

static inline int32_t low_lane(uint32_t word) {
  return (int16_t)(uint16_t)word;
}

static inline int32_t high_lane(uint32_t word) {
  return (int16_t)(uint16_t)(word >> 16);
}

static inline uint32_t two_lanes(int32_t low, int32_t high) {
  return (uint32_t)(uint16_t)low | (uint32_t)high << 16;
}

#if TINYML_NN_DSP

/* Bytes 0 and 2 of a word, sign-extended into its lanes. */
static inline uint32_t widen_even(uint32_t word) {
  uint32_t lanes;
  __asm__("sxtb16 %0, %1" : "=r"(lanes) : "r"(word));
  return lanes;
}

/* Bytes 1 and 3. */
static inline uint32_t widen_odd(uint32_t word) {
  uint32_t lanes;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(lanes) : "r"(word));
  return lanes;
}

/* Both low lanes: `first`'s becomes the low one. */
static inline uint32_t pair_low(uint32_t first, uint32_t second) {
  uint32_t lanes;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(lanes) : "r"(first), "r"(second));
  return lanes;
}

/* Both high lanes: `first`'s becomes the low one. */
static inline uint32_t pair_high(uint32_t first, uint32_t second) {
  uint32_t lanes;
  __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(lanes) : "r"(second), "r"(first));
  return lanes;
}

static inline uint32_t add_lanes(uint32_t a, uint32_t b) {
  uint32_t lanes;
  __asm__("sadd16 %0, %1, %2" : "=r"(lanes) : "r"(a), "r"(b));
  return lanes;
}

/* Both lanes of `sum` plus bytes 0 and 2 of a word. */
static inline uint32_t add_even(uint32_t sum, uint32_t word) {
  __asm__("sxtab16 %0, %0, %1" : "+r"(sum) : "r"(word));
  return sum;
}

/* The same with bytes 1 and 3. */
static inline uint32_t add_odd(uint32_t sum, uint32_t word) {
  __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(sum) : "r"(word));
  return sum;
}

/* The larger of each two signed bytes. */
static inline uint32_t largest_bytes(uint32_t a, uint32_t b) {
  uint32_t largest;
  __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(largest) : "r"(a), "r"(b) : "cc");
  return largest;
}

/* (a * b + 2^31) / 2^32 */
static inline int32_t multiply_high(int32_t a, int32_t b) {
  int32_t product;
  __asm__("smmulr %0, %1, %2" : "=r"(product) : "r"(a), "r"(b));
  return product;
}

/* The same plus c. */
static inline int32_t multiply_high_add(int32_t a, int32_t b, int32_t c) {
  int32_t sum;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
  return sum;
}

static inline int32_t saturate_s8(int32_t x) {
  int32_t saturated;
  __asm__("ssat %0, #8, %1" : "=r"(saturated) : "r"(x));
  return saturated;
}

/* sum + both products of lanes, modulo 2^32 */
static inline uint32_t multiply_lanes(uint32_t a, uint32_t b, uint32_t sum) {
  __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}

/* The same with a sum of 64 bits. */
static inline int64_t multiply_lanes_long(uint32_t a, uint32_t b, int64_t sum) {
  __asm__("smlald %Q0, %R0, %1, %2" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}

#else

static inline uint32_t widen_even(uint32_t word) {
  return two_lanes((int8_t)(uint8_t)word, (int8_t)(uint8_t)(word >> 16));
}

static inline uint32_t widen_odd(uint32_t word) {
  return widen_even(word >> 8);
}

static inline uint32_t pair_low(uint32_t first, uint32_t second) {
  return (first & UINT32_C(0xFFFF)) | second << 16;
}

static inline uint32_t pair_high(uint32_t first, uint32_t second) {
  return first >> 16 | (second & UINT32_C(0xFFFF0000));
}

static inline uint32_t add_lanes(uint32_t a, uint32_t b) {
  return two_lanes(low_lane(a) + low_lane(b), high_lane(a) + high_lane(b));
}

static inline uint32_t add_even(uint32_t sum, uint32_t word) {
  return add_lanes(sum, widen_even(word));
}

static inline uint32_t add_odd(uint32_t sum, uint32_t word) {
  return add_lanes(sum, widen_odd(word));
}

static inline uint32_t largest_bytes(uint32_t a, uint32_t b) {
  uint32_t largest = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    const int8_t x = (int8_t)(uint8_t)(a >> shift), y = (int8_t)(uint8_t)(b >> shift);
    largest |= (uint32_t)(uint8_t)(x > y ? x : y) << shift;
  }
  return largest;
}

static inline int32_t multiply_high(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + (INT64_C(1) << 31)) >> 32);
}

static inline int32_t multiply_high_add(int32_t a, int32_t b, int32_t c) {
  return multiply_high(a, b) + c;
}

static inline int32_t saturate_s8(int32_t x) {
  return x < INT8_MIN ? INT8_MIN : x > INT8_MAX ? INT8_MAX : x;
}

static inline uint32_t multiply_lanes(uint32_t a, uint32_t b, uint32_t sum) {
  return sum + (uint32_t)(low_lane(a) * low_lane(b)) + (uint32_t)(high_lane(a) * high_lane(b));
}

static inline int64_t multiply_lanes_long(uint32_t a, uint32_t b, int64_t sum) {
  return sum + low_lane(a) * low_lane(b) + high_lane(a) * high_lane(b);
}

#endif

#endif /* TINYML_NN_SIMD_H */
