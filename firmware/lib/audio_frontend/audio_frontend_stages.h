/* The steps of audio_frontend_process, in their order. Private to this library. */
#ifndef AUDIO_FRONTEND_STAGES_H_
#define AUDIO_FRONTEND_STAGES_H_

#include "audio_frontend.h"

/* Significant bits; 0 for 0. */
static inline unsigned audio_frontend_bit_length(uint32_t value) {
#if defined(__GNUC__)
  return value ? 32u - (unsigned)__builtin_clz(value) : 0u;
#else
  unsigned bits = 0;
  for (; value; value >>= 1) ++bits;
  return bits;
#endif
}

/* bins: packed real signal in fft_order -> energy of the bins 1 .. fft_size / 2 - 1. */
void audio_frontend_spectrum(const AudioFrontendConfig* config, AudioFrontendBin* bins);

/* bins -> magnitude per channel, with the input's scaling by 2^input_shift undone. */
void audio_frontend_bands(const AudioFrontendConfig* config, const AudioFrontendBin* bins,
                          unsigned input_shift, uint32_t* bands);

/* Subtracts the running noise estimate from the bands, in place. */
void audio_frontend_reduce_noise(const AudioFrontendConfig* config, uint32_t* noise, uint32_t* bands);

/* Divides the bands by a power of the noise estimate and compresses small values, in place. */
void audio_frontend_control_gain(const AudioFrontendConfig* config, const uint32_t* noise, uint32_t* bands);

/* ln(band) * 2^log_scale_shift. */
void audio_frontend_log(const AudioFrontendConfig* config, const uint32_t* bands, uint16_t* features);

#endif
