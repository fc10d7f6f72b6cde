#include "library_model.h"

namespace {

Engine engine;
uint32_t inferences = 0;
uint32_t score_permille = 0;

}  // namespace

void restart_model() {
  engine.reset();
  inferences = 0;
  score_permille = 0;
}

void set_score(uint32_t permille) {
  score_permille = permille;
}

uint32_t tinyml_score_permille() {
  return score_permille;
}

uint32_t tinyml_inferences() {
  return inferences;
}

int8_t* tinyml_input(size_t* bytes) {
  if (bytes != nullptr) {
    *bytes = engine.input_bytes();
  }
  return engine.input();
}

bool tinyml_invoke() {
  ++inferences;
  return engine.invoke();
}

const int8_t* tinyml_output(size_t* bytes) {
  if (bytes != nullptr) {
    *bytes = engine.output_bytes();
  }
  return engine.output();
}
