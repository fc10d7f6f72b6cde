/* A window of sensor samples -> features -> the int8 input of a network. No heap, no floating point.
 *
 * Without bands the features are the samples themselves. With bands, each channel gives
 *
 *   mean | log2 of energy | log2 of energy of the differences | log2 of crest factor squared | log2 of each
 * band
 *
 * where energies are taken after the mean is removed, bands are equal parts of the spectrum under a Hann
 * window, and logarithms have 8 fraction bits. A floor keeps the logarithm of a silent sensor's noise
 * stable.
 */
#ifndef ANOMALY_SIGNAL_FEATURES_H_
#define ANOMALY_SIGNAL_FEATURES_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SIGNAL_MAX_WINDOW 512
#define SIGNAL_SUMMARY_FEATURES 4

typedef struct {
  uint16_t window_samples; /* with bands: a power of two, at most SIGNAL_MAX_WINDOW */
  uint16_t channels;
  uint16_t bands;        /* 0: the samples are the features */
  uint16_t floor_lsb;    /* amplitude below which a signal counts as noise */
  const int16_t* cosine; /* [window_samples], Q14: one period */
} SignalConfig;

/* Number of features of a window. */
size_t signal_feature_count(const SignalConfig* config);

/* samples [window_samples][channels] -> features [signal_feature_count()]. */
void signal_features(const SignalConfig* config, const int16_t* samples, int32_t* features);

/* features -> int8: clamp(((f - offset) * multiplier + half) >> shift, then + zero_point). `shift` is 1..62.
 */
void signal_standardize(const int32_t* features, size_t count, const int32_t* offsets,
                        const int32_t* multipliers, unsigned shift, int32_t zero_point, int8_t* output);

/* log2(value) with 8 fraction bits, truncated; value is at least 1. */
int32_t signal_log2_q8(uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
