// A point of the curve -> model -> light, as firmware/src/hello.cpp does it.
#include "curve_light.h"
#include "library_model.h"

static_assert(takes(1), "the model takes one number");

bool tinyml_begin() {
  restart_model();
  return true;
}

int tinyml_draw(uint32_t point) {
  *tinyml_input(nullptr) = kCurveInputs[point % CURVE_POINTS];
  return tinyml_invoke() ? curve_light(*tinyml_output(nullptr)) : TINYML_NOTHING;
}
