// Hal of the Arduino Nano 33 BLE (Sense): Arduino's core on mbed OS, nRF52840.
#include "tinyml_build.h"

#if defined(TINYML_HAL_NANO33BLE)

#include "../hal.h"
#include "../usb_packet.h"
#include "camera.h"
#include "imu.h"
#include "microphone.h"
#include "stroke_service.h"

// Arduino's macros (min, abs, F, …) would break what follows.
#include <Arduino.h>
#include <USB/PluggableUSBSerial.h>

namespace {

// The watchdog survives the reset that starts the bootloader, which may not feed it: the time must be longer
// than any upload, or the upload would be interrupted.
constexpr uint32_t kWatchdogSeconds = 120;
constexpr uint32_t kWatchdogTicksPerSecond = 32768;  // nRF52840 Product Specification, WDT
constexpr uint32_t kWatchdogReload = 0x6E524635;     // the same

void start_watchdog() {
  if (NRF_WDT->RUNSTATUS == 0) {  // it cannot be changed once it runs
    NRF_WDT->CONFIG =
        (WDT_CONFIG_SLEEP_Run << WDT_CONFIG_SLEEP_Pos) | (WDT_CONFIG_HALT_Pause << WDT_CONFIG_HALT_Pos);
    NRF_WDT->CRV = kWatchdogSeconds * kWatchdogTicksPerSecond - 1;
    NRF_WDT->RREN = WDT_RREN_RR0_Enabled << WDT_RREN_RR0_Pos;
    NRF_WDT->TASKS_START = 1;
  }
  NRF_WDT->RR[0] = kWatchdogReload;
}

void start_cycle_counter() {
  CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk;
  DWT->CYCCNT = 0;
  DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;
}

}  // namespace

bool UsbPort::connected() {
  return _SerialUSB.connected();
}

size_t UsbPort::send(const char* bytes, size_t count) {
  uint32_t sent = 0;
  // Takes the bytes without changing them; its parameter lacks a const.
  _SerialUSB.send_nb(reinterpret_cast<uint8_t*>(const_cast<char*>(bytes)),
                     static_cast<uint32_t>(usb_packet_bytes(count)), &sent);
  return sent;
}

uint32_t UsbPort::now_ms() {
  return millis();
}

void UsbPort::wait() {
  yield();
}

void Hal::begin() {
  state_.microseconds.start(micros());
  start_cycle_counter();
  state_.cycles.start(DWT->CYCCNT);
  led(0, 0, 0);
  imu_begin();
  stroke_service_begin();
  start_watchdog();
}

size_t Hal::serial_read(char* bytes, size_t capacity) {
  clock_us();
  cycle_count();
  size_t count = 0;
  while (count < capacity && _SerialUSB.available() > 0) {
    bytes[count++] = static_cast<char>(_SerialUSB.read());
  }
  return count;
}

void Hal::serial_write(const char* bytes, size_t count) {
  state_.writer.write(state_.port, bytes, count);
}

size_t Hal::microphone_read(int16_t* samples, size_t capacity) {
  return microphone_take(samples, capacity);
}

uint32_t Hal::microphone_overruns() {
  return microphone_lost_blocks();
}

size_t Hal::sensor_names(const char** names, size_t capacity) {
  size_t count = 0;
  if (count < capacity) {
    names[count++] = "microphone";
  }
  if (imu_ready() && count < capacity) {
    names[count++] = imu_found();
  }
  if (camera_found()[0] != '\0' && count < capacity) {
    names[count++] = camera_found();
  }
  return count;
}

bool Hal::imu_read(ImuSample* sample) {
  return imu_measure(sample);
}

const char* Hal::imu_name() {
  return imu_found();
}

bool Hal::camera_begin(uint16_t width, uint16_t height, bool color) {
  return camera_start(width, height, color);
}

bool Hal::camera_read(uint8_t* frame, size_t bytes) {
  return camera_take(frame, bytes);
}

void Hal::stroke_show(int32_t state, const int8_t* pairs, size_t count) {
  stroke_service_show(state, pairs, count);
}

const char* Hal::complaint() {
  return imu_complaint()[0] != '\0' ? imu_complaint() : camera_complaint();
}

void Hal::led(uint8_t red, uint8_t green, uint8_t blue) {
  // The three are active low. analogWrite() claims the PWM units on the first call, in begin().
  analogWrite(LEDR, 255 - red);
  analogWrite(LEDG, 255 - green);
  analogWrite(LEDB, 255 - blue);
}

uint32_t Hal::clock_ms() {
  return static_cast<uint32_t>(clock_us() / 1000u);
}

uint64_t Hal::clock_us() {
  return state_.microseconds.extend(micros());
}

uint64_t Hal::instruction_count() {
  return 0;
}

uint64_t Hal::cycle_count() {
  return state_.cycles.extend(DWT->CYCCNT);
}

void Hal::watchdog_feed() {
  NRF_WDT->RR[0] = kWatchdogReload;
}

void Hal::idle() {
  stroke_service_poll();
  delay(1);
}

#endif  // TINYML_HAL_NANO33BLE
