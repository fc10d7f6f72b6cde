// Sound from standard input, int16 at SAMPLE_RATE_HZ: what the model hears, and every score.
#include <MODEL_NAME.h>
#include <stdio.h>

#include "binary_input.h"

int main() {
  int16_t samples[160];
  uint32_t inferences = 0;
  use_binary_input();
  if (!tinyml_begin()) {
    return 1;
  }
  for (size_t count; (count = fread(samples, sizeof(samples[0]), 160, stdin)) > 0;) {
    const int word = tinyml_hear(samples, count);
    if (tinyml_inferences() != inferences) {
      inferences = tinyml_inferences();
      printf("features");
      for (int i = 0; i < FEATURE_CHANNELS; ++i) printf(" %u", tinyml_features()[i]);
      print_output();
    }
    if (word != TINYML_NOTHING) {
      printf("Heard %s (%u%%)\n", kLabels[word], (unsigned)(tinyml_score_permille() + 5) / 10);
    }
  }
  return 0;
}
