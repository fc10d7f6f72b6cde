/* Fixed-point FFT of a real signal: a complex FFT of half the size, decimation in time, radix 4 (with one
 * radix-2 stage if the size requires it), then the split into the spectrum of the real signal.
 *
 * Each butterfly divides its inputs by its radix, so that the result is the transform divided by its size
 * and needs 16 bits. Divisions are Q15 products with 32767 / radix and round half up; sums wrap at 16 bits.
 * Twiddles of 32767/32768 round to the identity for values below 2^14, and divided inputs are below that: the
 * butterflies without rotation skip them.
 */
#include "audio_frontend_stages.h"

enum { kHalf = 32767 / 2, kQuarter = 32767 / 4 };

typedef struct {
  int32_t real;
  int32_t imaginary;
} Wide;

static inline int32_t q15(int32_t product) {
  return (product + (1 << 14)) >> 15;
}

static inline Wide scaled(AudioFrontendComplex value, int32_t factor) {
  const Wide result = {q15(value.real * factor), q15(value.imaginary * factor)};
  return result;
}

static inline Wide rotated(Wide value, AudioFrontendComplex by) {
  const Wide result = {q15(value.real * by.real - value.imaginary * by.imaginary),
                       q15(value.real * by.imaginary + value.imaginary * by.real)};
  return result;
}

static inline AudioFrontendComplex narrow(int32_t real, int32_t imaginary) {
  const AudioFrontendComplex result = {(int16_t)real, (int16_t)imaginary};
  return result;
}

static inline void combine4(AudioFrontendBin* bins, size_t span, Wide a, Wide b, Wide c, Wide d) {
  const Wide even = {a.real + c.real, a.imaginary + c.imaginary};
  const Wide odd = {a.real - c.real, a.imaginary - c.imaginary};
  const Wide sum = {b.real + d.real, b.imaginary + d.imaginary};
  const Wide difference = {b.real - d.real, b.imaginary - d.imaginary};
  bins[0].value = narrow(even.real + sum.real, even.imaginary + sum.imaginary);
  bins[span].value = narrow(odd.real + difference.imaginary, odd.imaginary - difference.real);
  bins[2 * span].value = narrow(even.real - sum.real, even.imaginary - sum.imaginary);
  bins[3 * span].value = narrow(odd.real - difference.imaginary, odd.imaginary + difference.real);
}

static void stage2(AudioFrontendBin* bins, size_t points) {
  for (AudioFrontendBin* end = bins + points; bins < end; bins += 2) {
    const Wide a = scaled(bins[0].value, kHalf);
    const Wide b = scaled(bins[1].value, kHalf);
    bins[0].value = narrow(a.real + b.real, a.imaginary + b.imaginary);
    bins[1].value = narrow(a.real - b.real, a.imaginary - b.imaginary);
  }
}

/* Joins four transforms of `span` points each into one of 4 * span, over the whole array. */
static void stage4(AudioFrontendBin* bins, size_t points, size_t span, const AudioFrontendComplex* twiddles) {
  const size_t step = points / (4 * span);
  AudioFrontendBin* const end = bins + points;
  for (AudioFrontendBin* group = bins; group < end; group += 4 * span) {
    combine4(group, span, scaled(group[0].value, kQuarter), scaled(group[span].value, kQuarter),
             scaled(group[2 * span].value, kQuarter), scaled(group[3 * span].value, kQuarter));
  }
  for (size_t k = 1; k < span; ++k) {
    const AudioFrontendComplex once = twiddles[k * step];
    const AudioFrontendComplex twice = twiddles[2 * k * step];
    const AudioFrontendComplex thrice = twiddles[3 * k * step];
    for (AudioFrontendBin* group = bins + k; group < end; group += 4 * span) {
      combine4(group, span, scaled(group[0].value, kQuarter),
               rotated(scaled(group[span].value, kQuarter), once),
               rotated(scaled(group[2 * span].value, kQuarter), twice),
               rotated(scaled(group[3 * span].value, kQuarter), thrice));
    }
  }
}

static inline uint32_t energy(int32_t real, int32_t imaginary) {
  const int32_t r = (int16_t)real;
  const int32_t i = (int16_t)imaginary;
  return (uint32_t)(r * r) + (uint32_t)(i * i);
}

/* Even samples were packed as real parts, odd ones as imaginary parts: separates bins k and points - k. */
static void split(AudioFrontendBin* bins, size_t points, const AudioFrontendComplex* twiddles) {
  for (size_t k = 1; k <= points / 2; ++k) {
    AudioFrontendBin* low = &bins[k];
    AudioFrontendBin* high = &bins[points - k];
    const Wide up = scaled(low->value, kHalf);
    const Wide down = scaled(narrow(high->value.real, -high->value.imaginary), kHalf);
    const Wide sum = {up.real + down.real, up.imaginary + down.imaginary};
    const Wide difference = {up.real - down.real, up.imaginary - down.imaginary};
    const Wide turned = rotated(difference, twiddles[k - 1]);
    low->energy =
        energy((sum.real + (int16_t)turned.real) >> 1, (sum.imaginary + (int16_t)turned.imaginary) >> 1);
    high->energy =
        energy((sum.real - (int16_t)turned.real) >> 1, ((int16_t)turned.imaginary - sum.imaginary) >> 1);
  }
}

void audio_frontend_spectrum(const AudioFrontendConfig* config, AudioFrontendBin* bins) {
  const size_t points = config->fft_size / 2;
  const bool odd_exponent = audio_frontend_bit_length((uint32_t)points) % 2 == 0;
  if (odd_exponent) stage2(bins, points);
  for (size_t span = odd_exponent ? 2 : 1; span < points; span *= 4) {
    stage4(bins, points, span, config->fft_twiddles);
  }
  split(bins, points, config->split_twiddles);
}
