#include "tinyml_build.h"

#if defined(TINYML_ENGINE_TFLM)

#include "engine_tflm.h"

#include <new>

#include "model_data.h"
#include "tensorflow/lite/schema/schema_generated.h"
#include "tensorflow/lite/schema/schema_utils.h"

bool Engine::begin() {
  if (interpreter_) return error_[0] == '\0';
  const tflite::Model* model = tflite::GetModel(kModelData);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    return fail("the model has another schema version than this TensorFlow Lite Micro");
  }
  if (!tinyml::register_ops(resolver_)) return fail("an operator could not be registered");
  if (!has_every_op(*model)) return fail("an operator of the model is missing from op_resolver.h");
  interpreter_ =
      new (interpreter_storage_) tflite::MicroInterpreter(model, resolver_, arena_, sizeof(arena_));
  if (interpreter_->AllocateTensors() != kTfLiteOk) {
    return fail("the tensors do not fit the arena of TFLM_ARENA_BYTES, or an operator refused its arguments");
  }
  input_ = interpreter_->input(0);
  output_ = interpreter_->output(0);
  if (input_->type != kTfLiteInt8 || output_->type != kTfLiteInt8) {
    return fail("the model's input and output must be int8");
  }
  return true;
}

bool Engine::invoke() {
  if (!input_ || error_[0] != '\0') return false;
  return interpreter_->Invoke() == kTfLiteOk || fail("an operator of the model failed");
}

bool Engine::fail(const char* error) {
  error_ = error;
  return false;
}

bool Engine::has_every_op(const tflite::Model& model) const {
  const tflite::MicroOpResolver& resolver = resolver_;
  for (const tflite::OperatorCode* code : *model.operator_codes()) {
    if (!resolver.FindOp(tflite::GetBuiltinCode(code))) return false;
  }
  return true;
}

#endif
