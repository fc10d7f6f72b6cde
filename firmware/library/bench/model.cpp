// Any model: the sketch makes the input and reads the output.
#include "library_model.h"

bool tinyml_begin() {
  restart_model();
  return true;
}
