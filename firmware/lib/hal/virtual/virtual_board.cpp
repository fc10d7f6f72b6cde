// Shared by boards without hardware: no microphone, sensors, LED or watchdog.
#include "tinyml_build.h"

#if defined(TINYML_HAL_SIM) || defined(TINYML_HAL_NATIVE)

#include "../hal.h"

size_t Hal::microphone_read(int16_t*, size_t) {
  return 0;
}

uint32_t Hal::microphone_overruns() {
  return 0;
}

size_t Hal::sensor_names(const char**, size_t) {
  return 0;
}

bool Hal::imu_read(ImuSample*) {
  return false;
}

const char* Hal::imu_name() {
  return "none";
}

void Hal::stroke_show(int32_t, const int8_t*, size_t) {}

bool Hal::camera_begin(uint16_t, uint16_t, bool) {
  return false;
}

bool Hal::camera_read(uint8_t*, size_t) {
  return false;
}

const char* Hal::complaint() {
  return "";
}

void Hal::led(uint8_t, uint8_t, uint8_t) {}

void Hal::watchdog_feed() {}

#endif  // TINYML_HAL_SIM || TINYML_HAL_NATIVE
