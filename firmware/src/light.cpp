#include "light.h"

void Light::flash(const uint8_t color[3], uint32_t now_ms) {
  set(color, now_ms);
  goes_out_ = true;
  since_ms_ = now_ms;
}

void Light::set(const uint8_t color[3], uint32_t now_ms) {
  goes_out_ = false;
  session_.show(color, now_ms);
}

void Light::put_out(uint32_t now_ms) {
  if (goes_out_) {
    set(kLightOff, now_ms);
  }
}
