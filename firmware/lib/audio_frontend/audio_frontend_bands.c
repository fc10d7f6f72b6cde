/* Mel filter bank. Each bin is between the centres of two channels and contributes to both. */
#include "audio_frontend_stages.h"

/* The two highest bits of a 64-bit number that is shifted out at the top. */
static inline uint32_t next_pair(uint32_t* high, uint32_t* low) {
  const uint32_t pair = *high >> 30;
  *high = (*high << 2) | (*low >> 30);
  *low <<= 2;
  return pair;
}

/* Nearest integer to the square root of value < 2^58, digit by digit in 32-bit arithmetic. Roots of 32-bit
 * values stop at 65535. */
static uint32_t rounded_sqrt(uint64_t value) {
  uint32_t high = (uint32_t)(value >> 32);
  uint32_t low = (uint32_t)value;
  const bool wide = high != 0;
  const unsigned bits = wide ? 32 + audio_frontend_bit_length(high) : audio_frontend_bit_length(low);
  const unsigned pairs = (bits + 1) / 2;
  if (pairs == 0) return 0;
  value <<= 64 - 2 * pairs;
  high = (uint32_t)(value >> 32);
  low = (uint32_t)value;
  uint32_t root = 0;
  uint32_t remainder = 0;
  for (unsigned i = 0; i < pairs; ++i) {
    remainder = (remainder << 2) | next_pair(&high, &low);
    const uint32_t trial = (root << 2) | 1;
    root <<= 1;
    if (remainder >= trial) {
      remainder -= trial;
      root |= 1;
    }
  }
  if (remainder > root && (wide || root != UINT16_MAX)) ++root;
  return root;
}

void audio_frontend_bands(const AudioFrontendConfig* config, const AudioFrontendBin* bins,
                          unsigned input_shift, uint32_t* bands) {
  const AudioFrontendBin* bin = bins + config->first_bin;
  const uint16_t* falling = config->falling;
  const uint16_t* rising = config->rising;
  uint64_t carried = 0;
  for (size_t band = 0; band <= config->channels; ++band) {
    uint64_t below = carried;
    uint64_t above = 0;
    for (size_t i = config->band_widths[band]; i > 0; --i) {
      const uint32_t energy = (bin++)->energy;
      below += (uint64_t)energy * *falling++;
      above += (uint64_t)energy * *rising++;
    }
    if (band > 0) bands[band - 1] = rounded_sqrt(below) >> input_shift;
    carried = above;
  }
}
