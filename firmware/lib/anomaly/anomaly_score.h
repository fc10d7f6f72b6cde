/* The distance of a window from normal running, as one integer; 0 is the most normal. */
#ifndef ANOMALY_SCORE_H_
#define ANOMALY_SCORE_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Mean squared difference of an autoencoder's int8 input and output, in 1/256 of a squared input step.
 * `ratio_q16` is the output's scale divided by the input's. */
uint32_t anomaly_reconstruction_score(const int8_t* input, const int8_t* output, size_t count,
                                      int32_t input_zero_point, int32_t output_zero_point,
                                      uint32_t ratio_q16);

/* Clusters, or components of a Gaussian mixture with diagonal covariances. */
typedef struct {
  uint16_t clusters;
  uint16_t dimensions;
  uint16_t shift;
  const int16_t* centers;    /* [clusters][dimensions], Q4 output steps */
  const uint16_t* weights;   /* [clusters][dimensions]: of squared distances */
  const uint32_t* constants; /* [clusters]: added to the cluster's sum */
} AnomalyMixture;

/* The minimum over all clusters of constant + (sum of weight * (x - center)^2) >> shift, saturated. */
uint32_t anomaly_mixture_score(const int8_t* point, const AnomalyMixture* mixture);

#ifdef __cplusplus
}
#endif

#endif
