// Engine over TensorFlow Lite Micro's interpreter. See engine.h.
//
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model_settings.h"
#include "op_resolver.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tinyml_build.h"

#if defined(TINYML_SECOND_MODEL)
#include "second_model_settings.h"
#include "second_op_resolver.h"
#endif

#if defined(TINYML_ARENA_BYTES)
constexpr size_t kTflmArenaBytes = TINYML_ARENA_BYTES;
#else
constexpr size_t kTflmArenaBytes = TFLM_ARENA_BYTES;
#endif

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

#if defined(TINYML_SECOND_MODEL)
  int8_t* second_input() { return second_->input(0)->data.int8; }
  const int8_t* second_output() { return second_->output(0)->data.int8; }
  bool second_invoke();
#endif

  size_t arena_used() const { return interpreter_ ? interpreter_->arena_used_bytes() : 0; }
  size_t arena_bytes() const { return kTflmArenaBytes; }
  const char* name() const { return "tflm"; }
  const char* error() const { return error_; }

 private:
  // One model's interpreter, in `storage`; nullptr: see error().
  tflite::MicroInterpreter* prepare(const unsigned char* data, const tflite::MicroOpResolver& resolver,
                                    tflite::MicroAllocator* allocator, int variables, uint8_t* storage);
  bool fail(const char* error);
  static bool has_every_op(const tflite::Model& model, const tflite::MicroOpResolver& resolver);

  tinyml::OpResolver resolver_;
  tflite::MicroInterpreter* interpreter_ = nullptr;
  bool ready_ = false;
  const char* error_ = "";
  // The interpreter is made in begin(), after the operators are registered, and without a heap.
  alignas(tflite::MicroInterpreter) uint8_t interpreter_storage_[sizeof(tflite::MicroInterpreter)] = {};
#if defined(TINYML_SECOND_MODEL)
  tinyml::second_OpResolver second_resolver_;
  tflite::MicroInterpreter* second_ = nullptr;
  alignas(tflite::MicroInterpreter) uint8_t second_storage_[sizeof(tflite::MicroInterpreter)] = {};
#endif
  alignas(16) uint8_t arena_[kTflmArenaBytes] = {};
};
