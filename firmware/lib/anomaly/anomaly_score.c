#include "anomaly_score.h"

enum { kStepBits = 4 };

uint32_t anomaly_reconstruction_score(const int8_t* input, const int8_t* output, size_t count,
                                      int32_t input_zero_point, int32_t output_zero_point,
                                      uint32_t ratio_q16) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const int32_t wanted = (input[i] - input_zero_point) * (1 << kStepBits);
    const int64_t scaled = (int64_t)(output[i] - output_zero_point) * ratio_q16;
    const int32_t made = (int32_t)((scaled + (1 << (15 - kStepBits))) >> (16 - kStepBits));
    const int64_t difference = wanted - made;
    sum += (uint64_t)(difference * difference);
  }
  const uint64_t mean = (sum + count / 2) / count;
  return mean < UINT32_MAX ? (uint32_t)mean : UINT32_MAX;
}

uint32_t anomaly_mixture_score(const int8_t* point, const AnomalyMixture* mixture) {
  uint64_t best = UINT32_MAX;
  const int16_t* center = mixture->centers;
  const uint16_t* weight = mixture->weights;
  for (size_t cluster = 0; cluster < mixture->clusters; ++cluster) {
    uint64_t sum = 0;
    for (size_t i = 0; i < mixture->dimensions; ++i) {
      const int32_t difference = point[i] * (1 << kStepBits) - *center++;
      sum += (uint64_t)((int64_t)difference * difference) * *weight++;
    }
    const uint64_t distance = mixture->constants[cluster] + (sum >> mixture->shift);
    best = distance < best ? distance : best;
  }
  return (uint32_t)best;
}
