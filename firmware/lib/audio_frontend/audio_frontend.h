/* Integer audio front end: int16 samples in, uint16 log-mel features out.
 *
 *   static AudioFrontend frontend;
 *   audio_frontend_init(&frontend, &kAudioFrontendConfig);   // from the generated audio_frontend_tables.h
 *   while (count > 0) {
 *     size_t consumed;
 *     if (audio_frontend_process(&frontend, samples, count, &consumed, features)) use(features);
 *     samples += consumed;
 *     count -= consumed;
 *   }
 *
 * No heap, no floating point, no libm: all tables are made on the host. The results equal those of the
 * micro front end of TensorFlow Lite Micro, whose noise reduction and gain control follow Wang et al.,
 * "Trainable Frontend For Robust and Far-Field Keyword Spotting", ICASSP 2017.
 */
#ifndef AUDIO_FRONTEND_H_
#define AUDIO_FRONTEND_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Maximum sizes of a frontend; a build may lower them to save RAM. */
#ifndef AUDIO_FRONTEND_MAX_FFT_SIZE
#define AUDIO_FRONTEND_MAX_FFT_SIZE 1024
#endif
#ifndef AUDIO_FRONTEND_MAX_CHANNELS
#define AUDIO_FRONTEND_MAX_CHANNELS 64
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int16_t real;
  int16_t imaginary;
} AudioFrontendComplex;

/* A spectrum bin: complex during the FFT, squared magnitude afterwards. */
typedef union {
  AudioFrontendComplex value;
  uint32_t energy;
} AudioFrontendBin;

/* Gain over one octave of the noise estimate: a parabola. */
typedef struct {
  int16_t value;
  int16_t slope;
  int16_t curvature;
} AudioFrontendGain;

#define AUDIO_FRONTEND_GAIN_ROWS 33        /* one per bit length of a uint32_t */
#define AUDIO_FRONTEND_LOG2_ERROR_ROWS 129 /* both ends of 128 segments */

typedef struct {
  uint16_t window_samples;
  uint16_t stride_samples;
  uint16_t fft_size; /* power of two, at least window_samples */
  uint16_t channels;
  uint16_t first_bin;      /* of the filter bank, at least 1 */
  uint16_t last_bin;       /* one past the last, at most fft_size / 2 */
  uint16_t even_smoothing; /* Q14, like the next two */
  uint16_t odd_smoothing;
  uint16_t min_signal_remaining;
  uint16_t smoothing_bits;
  uint16_t snr_shift;
  uint16_t correction_bits;
  uint16_t log_scale_shift;
  const int16_t* window;                      /* [window_samples], Q12 */
  const uint16_t* fft_order;                  /* [fft_size / 2] */
  const AudioFrontendComplex* fft_twiddles;   /* [3 * fft_size / 8], Q15 */
  const AudioFrontendComplex* split_twiddles; /* [fft_size / 4], Q15 */
  const uint16_t* band_widths;                /* [channels + 1], bins */
  const uint16_t* falling;                    /* [last_bin - first_bin], Q12: weight in the channel below */
  const uint16_t* rising;                     /* [last_bin - first_bin], Q12: weight in the channel above */
  const AudioFrontendGain* gain;              /* [AUDIO_FRONTEND_GAIN_ROWS] */
  const uint16_t* log2_error;                 /* [AUDIO_FRONTEND_LOG2_ERROR_ROWS], Q16 */
} AudioFrontendConfig;

typedef struct {
  const AudioFrontendConfig* config;
  size_t held; /* samples in history */
  int16_t history[AUDIO_FRONTEND_MAX_FFT_SIZE];
  AudioFrontendBin bins[AUDIO_FRONTEND_MAX_FFT_SIZE / 2];
  uint32_t bands[AUDIO_FRONTEND_MAX_CHANNELS];
  uint32_t noise[AUDIO_FRONTEND_MAX_CHANNELS]; /* estimate, scaled by 2^smoothing_bits */
} AudioFrontend;

/* False if the configuration exceeds this build's maxima. */
bool audio_frontend_init(AudioFrontend* frontend, const AudioFrontendConfig* config);

/* Forgets all audio and the noise estimate. */
void audio_frontend_reset(AudioFrontend* frontend);

/* Takes up to `count` samples, as many as the next frame lacks; `*consumed` says how many. True if that
 * completed a frame: `features` then holds config->channels values. */
bool audio_frontend_process(AudioFrontend* frontend, const int16_t* samples, size_t count, size_t* consumed,
                            uint16_t* features);

/* The mean noise estimate of all channels, in units of the filter bank's magnitudes. */
uint32_t audio_frontend_noise(const AudioFrontend* frontend);

/* features -> int8 model input: round(feature * multiplier / 2^shift) + zero_point, saturated.
 * `shift` is 1..31; the host chooses both factors. */
void audio_frontend_quantize(const uint16_t* features, size_t count, uint16_t multiplier, unsigned shift,
                             int32_t zero_point, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
