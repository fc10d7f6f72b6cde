// The board's light: shows a detection for a while, or a colour that stays.
#pragma once

#include <stdint.h>

#include "session.h"

class Light {
 public:
  Light(Session& session, uint32_t hold_ms) : session_(session), hold_ms_(hold_ms) {}

  // Shows a colour that goes out after the hold time.
  void flash(const uint8_t color[3], uint32_t now_ms);

  // Shows a colour that stays.
  void set(const uint8_t color[3], uint32_t now_ms);

  // What is shown stays.
  void keep() { goes_out_ = false; }

  // Puts out what was flashed if its time is over.
  void update(uint32_t now_ms) {
    if (goes_out_ && now_ms - since_ms_ >= hold_ms_) {
      put_out(now_ms);
    }
  }

  // Puts out what was flashed; a colour that stays is left alone.
  void put_out(uint32_t now_ms);

 private:
  Session& session_;
  uint32_t hold_ms_;
  uint32_t since_ms_ = 0;
  bool goes_out_ = false;
};
