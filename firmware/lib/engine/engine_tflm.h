// Engine over TensorFlow Lite Micro's interpreter. See engine.h.
//
// With TINYML_PROFILE every operator calls tinyml_op_begin() before it runs, which a profiler can watch.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model_settings.h"
#include "op_resolver.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tinyml_build.h"

class Engine {
 public:
  bool begin();

  int8_t* input() { return static_cast<int8_t*>(input(0)); }
  size_t input_bytes() const { return input_bytes(0); }

  bool invoke();

  const int8_t* output() const { return static_cast<const int8_t*>(output(0)); }
  size_t output_bytes() const { return output_bytes(0); }

  size_t input_count() const { return INPUT_COUNT; }
  void* input(size_t index) { return ready_ ? interpreter_->input(index)->data.raw : nullptr; }
  size_t input_bytes(size_t index) const { return ready_ ? interpreter_->input(index)->bytes : 0; }
  size_t output_count() const { return OUTPUT_COUNT; }
  const void* output(size_t index) const { return ready_ ? interpreter_->output(index)->data.raw : nullptr; }
  size_t output_bytes(size_t index) const { return ready_ ? interpreter_->output(index)->bytes : 0; }
  void reset();

  size_t arena_used() const { return interpreter_ ? interpreter_->arena_used_bytes() : 0; }
  size_t arena_bytes() const { return TFLM_ARENA_BYTES; }
  const char* name() const { return "tflm"; }
  const char* error() const { return error_; }

 private:
  bool fail(const char* error);
  bool has_every_op(const tflite::Model& model) const;

  tinyml::OpResolver resolver_;
  tflite::MicroInterpreter* interpreter_ = nullptr;
  bool ready_ = false;
  const char* error_ = "";
  // The interpreter is made in begin(), after the operators are registered, and without a heap.
  alignas(tflite::MicroInterpreter) uint8_t interpreter_storage_[sizeof(tflite::MicroInterpreter)] = {};
  alignas(16) uint8_t arena_[TFLM_ARENA_BYTES] = {};
};
