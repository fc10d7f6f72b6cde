// Frames from standard input, FRAME_BYTES each: every score, and what is seen.
#include <MODEL_NAME.h>
#include <stdio.h>

#include "binary_input.h"

int main() {
  static uint8_t frame[FRAME_BYTES];
  use_binary_input();
  if (!tinyml_begin()) {
    return 1;
  }
  while (fread(frame, sizeof(frame), 1, stdin) == 1) {
    const int seen = tinyml_look(frame);
    print_output();
    if (seen != TINYML_NOTHING) {
      printf("Sees %s (%u%%)\n", kLabels[seen], (unsigned)(tinyml_score_permille() + 5) / 10);
    }
  }
  return 0;
}
