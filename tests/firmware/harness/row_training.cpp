// Trains rows by what it reads: {uint32 rows} then {64 int8, int32 bias} each, {uint32 steps} then {64 int8,
// uint32 label, uint32 rate bits} each. Writes the rows.
#include <stdio.h>
#include <stdlib.h>

#include "row_training.h"

namespace {

void take(void* to, size_t bytes) {
  if (fread(to, 1, bytes, stdin) != bytes) exit(1);
}

}  // namespace

int main() {
  static RowTraining training;
  uint32_t rows = 0, steps = 0;
  int8_t values[kWordValues];
  int32_t bias = 0;
  training.begin();
  take(&rows, 4);
  for (uint32_t i = 0; i < rows; ++i) {
    take(values, sizeof(values));
    take(&bias, 4);
    if (!training.add(values, bias)) return 2;
  }
  take(&steps, 4);
  for (uint32_t i = 0; i < steps; ++i) {
    uint32_t label = 0, rate = 0;
    take(values, sizeof(values));
    take(&label, 4);
    take(&rate, 4);
    training.step(values, label, rate);
  }
  for (uint32_t i = 0; i < rows; ++i) {
    training.row(i, values, &bias);
    fwrite(values, 1, sizeof(values), stdout);
    fwrite(&bias, 1, sizeof(bias), stdout);
  }
  return 0;
}
