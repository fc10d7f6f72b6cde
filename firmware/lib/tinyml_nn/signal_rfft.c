/* A complex transform of half the size, decimation in time, radix 4 after one stage of radix 2 where the size
 * wants it, and its separation into the spectrum of the real signal: the same arithmetic as the audio front
 * end's (audio_frontend_fft.c), of a tensor. Each butterfly divides by its radix; quotients and products are
 * Q15, rounded half up, and sums wrap at 16 bits. */
#include <string.h>

#include "tinyml_nn_signal.h"

enum { kHalf = 32767 / 2, kQuarter = 32767 / 4 };

typedef struct {
  int16_t real;
  int16_t imaginary;
} Bin;

typedef struct {
  int32_t real;
  int32_t imaginary;
} Wide;

static inline int32_t q15(int32_t product) {
  return (product + (1 << 14)) >> 15;
}

static inline Wide scaled(Bin value, int32_t factor) {
  const Wide result = {q15(value.real * factor), q15(value.imaginary * factor)};
  return result;
}

static inline Wide rotated(Wide value, const int16_t* by) {
  const Wide result = {q15(value.real * by[0] - value.imaginary * by[1]),
                       q15(value.real * by[1] + value.imaginary * by[0])};
  return result;
}

static inline Wide sum(Wide a, Wide b) {
  const Wide result = {a.real + b.real, a.imaginary + b.imaginary};
  return result;
}

static inline Wide difference(Wide a, Wide b) {
  const Wide result = {a.real - b.real, a.imaginary - b.imaginary};
  return result;
}

static inline Bin narrow(int32_t real, int32_t imaginary) {
  const Bin result = {(int16_t)real, (int16_t)imaginary};
  return result;
}

static void stage2(Bin* bins, int32_t points) {
  for (const Bin* end = bins + points; bins < end; bins += 2) {
    const Wide a = scaled(bins[0], kHalf), b = scaled(bins[1], kHalf);
    const Wide low = sum(a, b), high = difference(a, b);
    bins[0] = narrow(low.real, low.imaginary);
    bins[1] = narrow(high.real, high.imaginary);
  }
}

/* Joins four transforms of `span` points each into one of 4 * span, over the whole array. A rotation by
 * nothing changes no quarter of a 16-bit number. */
static void stage4(Bin* bins, int32_t points, int32_t span, const int16_t* rotations) {
  const int32_t step = 2 * points / (4 * span);
  for (int32_t first = 0; first < points; first += 4 * span) {
    for (int32_t k = 0; k < span; ++k) {
      Bin* const at = bins + first + k;
      const Wide a = scaled(at[0], kQuarter);
      const Wide b = rotated(scaled(at[span], kQuarter), rotations + k * step);
      const Wide c = rotated(scaled(at[2 * span], kQuarter), rotations + 2 * k * step);
      const Wide d = rotated(scaled(at[3 * span], kQuarter), rotations + 3 * k * step);
      const Wide even = sum(a, c), odd = difference(a, c), both = sum(b, d), turned = difference(b, d);
      at[0] = narrow(even.real + both.real, even.imaginary + both.imaginary);
      at[span] = narrow(odd.real + turned.imaginary, odd.imaginary - turned.real);
      at[2 * span] = narrow(even.real - both.real, even.imaginary - both.imaginary);
      at[3 * span] = narrow(odd.real - turned.imaginary, odd.imaginary + turned.real);
    }
  }
}

/* Even samples were packed as real parts, odd ones as imaginary parts: separates bins k and points - k. */
static void separate(Bin* bins, int32_t points, const int16_t* split) {
  const Wide constant = scaled(bins[0], kHalf);
  bins[0] = narrow(constant.real + constant.imaginary, 0);
  bins[points] = narrow(constant.real - constant.imaginary, 0);
  for (int32_t k = 1; k <= points / 2; ++k, split += 2) {
    Bin *low = bins + k, *high = bins + points - k;
    const Wide up = scaled(*low, kHalf);
    const Wide down = scaled(narrow(high->real, -high->imaginary), kHalf);
    const Wide both = sum(up, down), turned = rotated(difference(up, down), split);
    const int32_t real = (int16_t)turned.real, imaginary = (int16_t)turned.imaginary;
    *low = narrow((both.real + real) >> 1, (both.imaginary + imaginary) >> 1);
    *high = narrow((both.real - real) >> 1, (imaginary - both.imaginary) >> 1);
  }
}

void tinyml_nn_signal_rfft(const tinyml_nn_signal_rfft_params* params, const int16_t* input,
                           int16_t* output) {
  const int32_t points = params->points;
  for (int32_t row = 0; row < params->rows; ++row, input += params->length, output += 2 * (points + 1)) {
    Bin* const bins = (void*)output;
    memset(bins, 0, (size_t)(points + 1) * sizeof *bins);
    for (int32_t k = 0; 2 * k < params->length; ++k) {
      bins[params->order[k]] = narrow(input[2 * k], 2 * k + 1 < params->length ? input[2 * k + 1] : 0);
    }
    int32_t span = 1;
    while (4 * span <= points) span *= 4;
    span = span < points ? 2 : 1; /* an odd exponent wants a stage of radix 2 */
    if (span == 2) stage2(bins, points);
    for (; span < points; span *= 4) stage4(bins, points, span, params->rotations);
    separate(bins, points, params->split);
  }
}
