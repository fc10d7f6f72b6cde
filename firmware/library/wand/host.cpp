// Motion from standard input, six int16 at SAMPLE_RATE_MILLIHZ: gestures, and every score.
#include <MODEL_NAME.h>
#include <stdio.h>

#include "binary_input.h"

int main() {
  int16_t sample[6];
  uint32_t inferences = 0;
  use_binary_input();
  if (!tinyml_begin()) {
    return 1;
  }
  while (fread(sample, sizeof(sample), 1, stdin) == 1) {
    const int gesture = tinyml_move(sample);
    if (tinyml_inferences() != inferences) {
      inferences = tinyml_inferences();
      print_output();
    }
    if (gesture != TINYML_NOTHING) {
      printf("Recognised %s (%u%%)\n", kLabels[gesture], (unsigned)(tinyml_score_permille() + 5) / 10);
    }
  }
  return 0;
}
