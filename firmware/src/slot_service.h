// The model's slots of a session: selects the tables at boot, tests them, and takes updates from the host.
#pragma once

#include "command.h"
#include "hal.h"
#include "inference.h"
#include "json_line.h"
#include "model_slots.h"

class SlotService {
 public:
  // Runs the newest model that passes its self-test; false: not even the one that was compiled in does.
  bool begin(Hal& hal, Inference* inference);

  // The event `slots`.
  void report(JsonLine line, uint16_t seq);

  // A piece of an update: the header, or bytes of the tables, packed or not.
  Reject update(const Command& command);

 private:
  ModelSlots slots_;
};
