// In place of Gate, in applications without a model that looks.
#pragma once

#include <stdint.h>

#include "command.h"
#include "light.h"
#include "session.h"

class NoGate {
 public:
  NoGate(Session&, Light&) {}

  void begin() {}
  void reset() {}
  void hear(const char*, uint32_t) {}
  void update(uint32_t) {}
  void watch(uint32_t) {}
  Reject accept(const Command&, uint32_t) { return Reject::kCommand; }
};
