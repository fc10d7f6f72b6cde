// Hal of a web page: the page calls board_step(), and hands over serial bytes, sound, frames and motion.
#include "tinyml_build.h"

#if defined(TINYML_HAL_BROWSER)

#include <string.h>

#include "../hal.h"
#include "../memory_store.h"
#include "../sample_ring.h"
#include "ports.h"

// What the page does for the board.
TINYML_IMPORT("say") void page_say(const char* bytes, size_t count);
TINYML_IMPORT("light") void page_light(int32_t red, int32_t green, int32_t blue);
TINYML_IMPORT("now_us") double page_now_us();

namespace {

constexpr size_t kSerialBytes = 4096;
constexpr size_t kAudioSamples = 4096;
constexpr size_t kRingSamples = 1u << 16;         // 4 s at 16 kHz: a page that is hidden may be called late
constexpr size_t kFrameBytes = 2u * 320u * 240u;  // the largest that a model takes
constexpr size_t kMotionSamples = 512;

// Buffers that the page fills; their addresses are asked for by name.
char serial[kSerialBytes];
int16_t audio[kAudioSamples];
uint8_t camera[kFrameBytes];

size_t serial_waiting = 0;
size_t serial_taken = 0;
SampleRing<kRingSamples> microphone;
bool has_microphone = false;
bool has_motion = false;
ImuSample motion[kMotionSamples];  // a ring
size_t motion_sent = 0;
size_t motion_taken = 0;
size_t frame_bytes = 0;  // 0: the application does not look
bool frame_waiting = false;
bool idled = false;
double start_us = 0.0;
MemoryStore store;

}  // namespace

TINYML_EXPORT("serial_buffer") char* serial_buffer() {
  return serial;
}

TINYML_EXPORT("serial_capacity") size_t serial_capacity() {
  return kSerialBytes;
}

// The first `count` bytes of the buffer are for the board, which must have taken the ones before.
TINYML_EXPORT("serial_send") void serial_send(size_t count) {
  serial_waiting = count < kSerialBytes ? count : kSerialBytes;
  serial_taken = 0;
}

TINYML_EXPORT("audio_buffer") int16_t* audio_buffer() {
  return audio;
}

TINYML_EXPORT("audio_capacity") size_t audio_capacity() {
  return kAudioSamples;
}

TINYML_EXPORT("audio_send") void audio_send(size_t samples) {
  has_microphone = true;
  microphone.push(audio, samples < kAudioSamples ? samples : kAudioSamples);
}

TINYML_EXPORT("camera_buffer") uint8_t* camera_buffer() {
  return camera;
}

TINYML_EXPORT("camera_send") void camera_send() {
  frame_waiting = frame_bytes > 0;
}

// A sample at the model's rate: thousandths of standard gravity and of a degree per second, on the board's
// axes (../axis_map.h). The oldest ones go where the application does not take them in time.
TINYML_EXPORT("motion_send")
void motion_send(int32_t ax, int32_t ay, int32_t az, int32_t gx, int32_t gy, int32_t gz) {
  has_motion = true;
  motion[motion_sent++ % kMotionSamples] = ImuSample{ax, ay, az, gx, gy, gz};
  if (motion_sent - motion_taken > kMotionSamples) {
    motion_taken = motion_sent - kMotionSamples;
  }
}

bool browser_idled() {
  const bool nothing_to_do = idled && serial_taken == serial_waiting;
  idled = false;
  return nothing_to_do;
}

void Hal::begin() {
  start_us = page_now_us();
}

size_t Hal::serial_read(char* bytes, size_t capacity) {
  const size_t left = serial_waiting - serial_taken;
  const size_t count = left < capacity ? left : capacity;
  memcpy(bytes, serial + serial_taken, count);
  serial_taken += count;
  return count;
}

void Hal::serial_write(const char* bytes, size_t count) {
  page_say(bytes, count);
}

size_t Hal::microphone_read(int16_t* samples, size_t capacity) {
  return microphone.pop(samples, capacity);
}

uint32_t Hal::microphone_overruns() {
  return microphone.overruns();
}

size_t Hal::sensor_names(const char** names, size_t capacity) {
  size_t count = 0;
  if (has_microphone && count < capacity) {
    names[count++] = "microphone";
  }
  if (has_motion && count < capacity) {
    names[count++] = imu_name();
  }
  if (frame_bytes > 0 && count < capacity) {
    names[count++] = "camera";
  }
  return count;
}

bool Hal::imu_read(ImuSample* sample) {
  if (motion_taken == motion_sent) {
    return false;
  }
  *sample = motion[motion_taken++ % kMotionSamples];
  return true;
}

const char* Hal::imu_name() {
  return has_motion ? "phone" : "none";
}

void Hal::stroke_show(int32_t, const int8_t*, size_t) {}

bool Hal::camera_begin(uint16_t width, uint16_t height, bool color) {
  const size_t bytes = static_cast<size_t>(width) * height * (color ? 2 : 1);
  frame_bytes = bytes <= kFrameBytes ? bytes : 0;
  return frame_bytes > 0;
}

bool Hal::camera_read(uint8_t* frame, size_t bytes) {
  if (!frame_waiting || bytes != frame_bytes) {
    return false;
  }
  memcpy(frame, camera, bytes);
  frame_waiting = false;
  return true;
}

const char* Hal::complaint() {
  return "";
}

void Hal::led(uint8_t red, uint8_t green, uint8_t blue) {
  page_light(red, green, blue);
}

bool Hal::store_read(void* bytes, size_t count) {
  return store.read(bytes, count);
}

bool Hal::store_write(const void* bytes, size_t count) {
  store.write(bytes, count);
  return false;  // it is gone when the page is closed
}

uint32_t Hal::clock_ms() {
  return static_cast<uint32_t>(clock_us() / 1000u);
}

uint64_t Hal::clock_us() {
  return static_cast<uint64_t>(page_now_us() - start_us);
}

uint64_t Hal::instruction_count() {
  return 0;
}

uint64_t Hal::cycle_count() {
  return 0;
}

void Hal::watchdog_feed() {}

void Hal::idle() {
  idled = true;
}

#endif  // TINYML_HAL_BROWSER
