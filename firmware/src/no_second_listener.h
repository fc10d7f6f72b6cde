// In place of SecondListener, in applications with one model that listens.
#pragma once

#include <stdint.h>

#include "light.h"
#include "session.h"

class NoSecondListener {
 public:
  NoSecondListener(Session&, Light&) {}

  bool begin() { return true; }
  void reset() {}
  void hear(const uint16_t*, uint32_t) {}
};
