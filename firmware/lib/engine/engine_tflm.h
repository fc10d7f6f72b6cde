// Engine over TensorFlow Lite Micro's interpreter. See engine.h.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model_settings.h"
#include "op_resolver.h"
#include "tensorflow/lite/micro/micro_interpreter.h"

class Engine {
 public:
  bool begin();

  int8_t* input() { return input_ ? input_->data.int8 : nullptr; }
  size_t input_bytes() const { return input_ ? input_->bytes : 0; }

  bool invoke();

  const int8_t* output() const { return output_ ? output_->data.int8 : nullptr; }
  size_t output_bytes() const { return output_ ? output_->bytes : 0; }

  size_t input_count() const { return 1; }
  void* input(size_t) { return input(); }
  size_t input_bytes(size_t) const { return input_bytes(); }
  size_t output_count() const { return 1; }
  const void* output(size_t) const { return output(); }
  size_t output_bytes(size_t) const { return output_bytes(); }
  void reset() {}

  size_t arena_used() const { return interpreter_ ? interpreter_->arena_used_bytes() : 0; }
  size_t arena_bytes() const { return TFLM_ARENA_BYTES; }
  const char* name() const { return "tflm"; }
  const char* error() const { return error_; }

 private:
  bool fail(const char* error);
  bool has_every_op(const tflite::Model& model) const;

  tinyml::OpResolver resolver_;
  tflite::MicroInterpreter* interpreter_ = nullptr;
  TfLiteTensor* input_ = nullptr;
  TfLiteTensor* output_ = nullptr;
  const char* error_ = "";
  // The interpreter is made in begin(), after the operators are registered, and without a heap.
  alignas(tflite::MicroInterpreter) uint8_t interpreter_storage_[sizeof(tflite::MicroInterpreter)] = {};
  alignas(16) uint8_t arena_[TFLM_ARENA_BYTES] = {};
};
