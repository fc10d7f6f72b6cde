// A machine from standard input, int16 of all channels in turn: every score, and the alarms.
#include <MODEL_NAME.h>
#include <stdio.h>

#include "binary_input.h"

int main() {
  int16_t value = 0;
  uint32_t inferences = 0;
  use_binary_input();
  if (!tinyml_begin()) {
    return 1;
  }
  while (fread(&value, sizeof(value), 1, stdin) == 1) {
    const int changed = tinyml_watch(&value, 1);
    if (tinyml_inferences() != inferences) {
      inferences = tinyml_inferences();
      print_output();
      printf("permille %lu\n", (unsigned long)tinyml_score_permille());
    }
    if (changed != TINYML_NOTHING) {
      printf(changed ? "Alarm\n" : "All clear\n");
    }
  }
  return 0;
}
