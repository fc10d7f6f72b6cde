#include "tinyml_build.h"

#if defined(TINYML_ENGINE_TFLM)

#include "engine_tflm.h"

#include <new>

#include "model_data.h"
#if defined(TINYML_SECOND_MODEL)
#include "second_model_data.h"
#endif
#include "tensorflow/lite/schema/schema_generated.h"
#include "tensorflow/lite/schema/schema_utils.h"

bool Engine::begin() {
  if (interpreter_ || error_[0] != '\0') return ready_;
  // One allocator for all models: persistent data is kept for each, working memory is shared.
  tflite::MicroAllocator* allocator = tflite::MicroAllocator::Create(arena_, sizeof(arena_));
  if (!tinyml::register_ops(resolver_)) return fail("an operator could not be registered");
  interpreter_ = prepare(kModelData, resolver_, allocator, tinyml::kResourceVariables, interpreter_storage_);
  if (!interpreter_) return false;
  if (interpreter_->inputs_size() != INPUT_COUNT || interpreter_->outputs_size() != OUTPUT_COUNT) {
    return fail("the model has another number of inputs or outputs than model_settings.h says");
  }
#if defined(TINYML_SECOND_MODEL)
  if (!tinyml::second_register_ops(second_resolver_)) return fail("an operator could not be registered");
  second_ = prepare(second_kModelData, second_resolver_, allocator, 0, second_storage_);
  if (!second_) return false;
#endif
  ready_ = true;
  return true;
}

tflite::MicroInterpreter* Engine::prepare(const unsigned char* data, const tflite::MicroOpResolver& resolver,
                                          tflite::MicroAllocator* allocator, int variables,
                                          uint8_t* storage) {
  const tflite::Model* model = tflite::GetModel(data);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    fail("the model has another schema version than this TensorFlow Lite Micro");
    return nullptr;
  }
  if (!has_every_op(*model, resolver)) {
    fail("an operator of the model is missing from op_resolver.h");
    return nullptr;
  }
  tflite::MicroResourceVariables* resources =
      variables > 0 ? tflite::MicroResourceVariables::Create(allocator, variables) : nullptr;
  auto* interpreter = new (storage) tflite::MicroInterpreter(model, resolver, allocator, resources);
  if (interpreter->AllocateTensors() != kTfLiteOk) {
    fail("the tensors do not fit the arena of TFLM_ARENA_BYTES, or an operator refused its arguments");
    return nullptr;
  }
  return interpreter;
}

#if defined(TINYML_SECOND_MODEL)

bool Engine::second_invoke() {
  if (!ready_ || error_[0] != '\0') return false;
  return second_->Invoke() == kTfLiteOk || fail("an operator of the second model failed");
}

#endif

bool Engine::invoke() {
  if (!ready_ || error_[0] != '\0') return false;
  return interpreter_->Invoke() == kTfLiteOk || fail("an operator of the model failed");
}

void Engine::reset() {
  if (ready_ && interpreter_->Reset() != kTfLiteOk) fail("the model's state could not be reset");
}

bool Engine::fail(const char* error) {
  error_ = error;
  return false;
}

bool Engine::has_every_op(const tflite::Model& model, const tflite::MicroOpResolver& resolver) {
  // By the operators actually used: a model may list operator codes that nothing uses.
  for (const tflite::SubGraph* subgraph : *model.subgraphs()) {
    for (const tflite::Operator* op : *subgraph->operators()) {
      const tflite::OperatorCode* code = model.operator_codes()->Get(op->opcode_index());
      if (!resolver.FindOp(tflite::GetBuiltinCode(code))) return false;
    }
  }
  return true;
}

#endif
