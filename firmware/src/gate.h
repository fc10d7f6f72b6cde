// The second half of cascade: a word that the first model detects opens the gate; while it is open, the
// second model looks through the camera. It closes once somebody is seen, or after TINYML_GATE_HOLD_MS.
#pragma once

#include <stdint.h>

#include "command.h"
#include "light.h"
#include "looker.h"
#include "second_model_settings.h"
#include "session.h"

class Gate {
 public:
  Gate(Session& session, Light& light) : session_(session), light_(light) {}

  // Starts the camera. Impossible settings are a `fault` event, and no model runs.
  void begin();

  // Closes the gate without an event, and forgets all frames.
  void reset();

  // A word was detected. The gate's own word opens it, or keeps it open for longer.
  void hear(const char* label, uint32_t now_ms);

  // Closes the gate if its time is over.
  void update(uint32_t now_ms);

  // Looks at a frame of the camera, if the gate is open and there is one.
  void watch(uint32_t now_ms);

  // Takes a piece of a frame from the host, and looks at the complete frame if the gate is open: while it is
  // closed, the camera is off, and so are frames from the host.
  Reject accept(const Command& command, uint32_t now_ms);

 private:
  void look(uint32_t now_ms);
  void close(uint32_t now_ms);
  void report(uint32_t now_ms);

  Session& session_;
  Light& light_;
  Looker looker_;
  bool is_open_ = false;
  uint32_t since_ms_ = 0;
  uint8_t frame_[SECOND_FRAME_BYTES] = {};
};
