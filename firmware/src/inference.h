// Runs the model: its tensors as one byte range, timed inferences, and the reason if it cannot run.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "engine.h"
#include "hal.h"
#include "json_line.h"

class Inference {
 public:
  // Prepares the engine; false: it can never run, see error().
  bool begin(Hal& hal);

  bool ready() const { return ready_; }
  const char* error() const { return engine_.error(); }

  // Disables it for good: the application found the model unsuitable.
  void refuse() { ready_ = false; }

  // Totals over all inputs and outputs, which are concatenated in the model's order; 0 until ready.
  size_t input_bytes() const { return input_bytes_; }
  size_t output_bytes() const { return output_bytes_; }

  // Writes part of the byte range of the inputs.
  Reject write(size_t offset, const uint8_t* data, size_t bytes);

  // Whether the host has written an input in the last seconds: one of the application would overwrite it.
  bool is_host_writing();

  // One inference; false: see error(). It may overwrite its inputs.
  bool run();

  // The same for the second model, if the board has one.
  bool run_second();

#if defined(TINYML_MODEL_SLOTS)
  // Whether this input, all of it, gives this int8 output, each value within `tolerance`; resets the model's
  // state before and after.
  bool gives(const uint8_t* input, size_t input_bytes, const uint8_t* output, size_t output_bytes,
             int32_t tolerance);
#endif

  // Of the last inference; the instructions are 0 if nothing counts them.
  uint32_t microseconds() const { return microseconds_; }
  uint64_t instructions() const { return instructions_; }

  // Resets the state of a streaming model.
  void reset() { engine_.reset(); }

  // Adds all outputs as one hexadecimal text.
  void report_outputs(JsonLine* event, const char* key);

  Engine& engine() { return engine_; }

 private:
  template <class Invoke>
  bool measure(Invoke invoke);

  Engine engine_;
  Hal* hal_ = nullptr;
  bool ready_ = false;
  size_t input_bytes_ = 0;
  size_t output_bytes_ = 0;
  uint32_t microseconds_ = 0;
  uint64_t instructions_ = 0;
  bool written_ = false;
  uint32_t written_ms_ = 0;
};
