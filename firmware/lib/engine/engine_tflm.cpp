#include "tinyml_build.h"

#if defined(TINYML_ENGINE_TFLM)

#include "engine_tflm.h"

#include <new>

#include "model_data.h"
#include "tensorflow/lite/schema/schema_generated.h"
#include "tensorflow/lite/schema/schema_utils.h"

#if defined(TINYML_PROFILE)

#include "tensorflow/lite/micro/micro_profiler_interface.h"

// Where an operator of the graph starts; a profiler counts from one call to the next.
extern "C" __attribute__((noinline, used)) void tinyml_op_begin() {
  __asm volatile("");
}

namespace {

class OpMarker : public tflite::MicroProfilerInterface {
 public:
  uint32_t BeginEvent(const char*) override {
    tinyml_op_begin();
    return 0;
  }
  void EndEvent(uint32_t) override {}
};

OpMarker op_marker;
tflite::MicroProfilerInterface* const kProfiler = &op_marker;

}  // namespace

#else

static tflite::MicroProfilerInterface* const kProfiler = nullptr;

#endif

bool Engine::begin() {
  if (interpreter_) return ready_;
  const tflite::Model* model = tflite::GetModel(kModelData);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    return fail("the model has another schema version than this TensorFlow Lite Micro");
  }
  if (!tinyml::register_ops(resolver_)) return fail("an operator could not be registered");
  if (!has_every_op(*model)) return fail("an operator of the model is missing from op_resolver.h");
  tflite::MicroAllocator* allocator = tflite::MicroAllocator::Create(arena_, sizeof(arena_));
  tflite::MicroResourceVariables* variables = nullptr;
  if (tinyml::kResourceVariables > 0) {
    variables = tflite::MicroResourceVariables::Create(allocator, tinyml::kResourceVariables);
  }
  interpreter_ =
      new (interpreter_storage_) tflite::MicroInterpreter(model, resolver_, allocator, variables, kProfiler);
  if (interpreter_->AllocateTensors() != kTfLiteOk) {
    return fail("the tensors do not fit the arena of TFLM_ARENA_BYTES, or an operator refused its arguments");
  }
  if (interpreter_->inputs_size() != INPUT_COUNT || interpreter_->outputs_size() != OUTPUT_COUNT) {
    return fail("the model has another number of inputs or outputs than model_settings.h says");
  }
  ready_ = true;
  return true;
}

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

bool Engine::has_every_op(const tflite::Model& model) const {
  // By what the operators use: a model may list operator codes that nothing uses.
  const tflite::MicroOpResolver& resolver = resolver_;
  for (const tflite::SubGraph* subgraph : *model.subgraphs()) {
    for (const tflite::Operator* op : *subgraph->operators()) {
      const tflite::OperatorCode* code = model.operator_codes()->Get(op->opcode_index());
      if (!resolver.FindOp(tflite::GetBuiltinCode(code))) return false;
    }
  }
  return true;
}

#endif
