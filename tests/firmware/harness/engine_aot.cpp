// Runs Engine over a generated network: reads all inputs of an inference from standard input, writes all
// outputs, until the input ends; then resets and runs the first inference once more.
#include <stdio.h>
#include <string.h>

#include "engine.h"

static Engine engine;
static uint8_t first_inputs[1 << 16];

static bool infer() {
  if (!engine.invoke()) return false;
  for (size_t i = 0; i < engine.output_count(); ++i) {
    fwrite(engine.output(i), 1, engine.output_bytes(i), stdout);
  }
  return true;
}

int main() {
  if (!engine.begin() || engine.arena_used() != NETWORK_ARENA_BYTES) return 1;
  if (engine.input() != engine.input(0) || engine.output() != engine.output(0)) return 2;
  if (engine.input_bytes() != NETWORK_INPUT_BYTES || engine.output_bytes() != NETWORK_OUTPUT_BYTES) return 3;
  size_t total = 0;
  for (size_t i = 0; i < engine.input_count(); ++i) total += engine.input_bytes(i);
  bool first = true;
  for (;;) {
    uint8_t bytes[sizeof first_inputs];
    if (total > sizeof bytes || fread(bytes, 1, total, stdin) != total) break;
    if (first) memcpy(first_inputs, bytes, total);
    first = false;
    const uint8_t* from = bytes;
    for (size_t i = 0; i < engine.input_count(); from += engine.input_bytes(i), ++i) {
      memcpy(engine.input(i), from, engine.input_bytes(i));
    }
    if (!infer()) return 4;
  }
  engine.reset();
  const uint8_t* from = first_inputs;
  for (size_t i = 0; i < engine.input_count(); from += engine.input_bytes(i), ++i) {
    memcpy(engine.input(i), from, engine.input_bytes(i));
  }
  return infer() ? 0 : 5;
}
