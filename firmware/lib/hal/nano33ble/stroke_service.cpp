#include "tinyml_build.h"

#if defined(TINYML_HAL_NANO33BLE)

#include "stroke_service.h"

#if defined(TINYML_STROKE_SERVICE)

#include <string.h>

// Arduino's macros (min, abs, F, …) would break what follows.
#include <ArduinoBLE.h>

namespace {

constexpr const char* kServiceUuid = "4798e0f2-0000-4d68-af64-8a8f5258404e";
constexpr const char* kStrokeUuid = "4798e0f2-300a-4d68-af64-8a8f5258404e";
constexpr size_t kMaxPoints = 160;

struct Value {
  int32_t state;
  int32_t count;
  int8_t pairs[kMaxPoints][2];
};
static_assert(sizeof(Value) == 8 + 2 * kMaxPoints, "the layout that others read");

// Read only: a notification carries twenty bytes of it.
BLEService service(kServiceUuid);
BLECharacteristic stroke(kStrokeUuid, BLERead, sizeof(Value), true);
bool is_on = false;

}  // namespace

void stroke_service_begin() {
  is_on = BLE.begin() != 0;
  if (!is_on) {
    return;
  }
  // The course's firmware uses the same name, with the end of its address.
  const String address = BLE.address();
  const String name = String("BLESense-") + address.substring(address.length() - 5);
  BLE.setLocalName(name.c_str());
  BLE.setDeviceName(name.c_str());
  BLE.setAdvertisedService(service);
  service.addCharacteristic(stroke);
  BLE.addService(service);
  stroke_service_show(0, nullptr, 0);
  BLE.advertise();
}

void stroke_service_show(int32_t state, const int8_t* pairs, size_t count) {
  if (!is_on) {
    return;
  }
  Value value = {};
  value.state = state;
  value.count = static_cast<int32_t>(count < kMaxPoints ? count : kMaxPoints);
  if (pairs != nullptr) {
    memcpy(value.pairs, pairs, static_cast<size_t>(value.count) * 2);
  }
  stroke.writeValue(&value, sizeof(value));
}

void stroke_service_poll() {
  if (is_on) {
    BLE.poll();
  }
}

#else

void stroke_service_begin() {}

void stroke_service_show(int32_t, const int8_t*, size_t) {}

void stroke_service_poll() {}

#endif  // TINYML_STROKE_SERVICE

#endif  // TINYML_HAL_NANO33BLE
