// Exercises the parts of the Hal that need no board: one test a name, each prints what it found.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axis_map.h"
#include "camera_frame.h"
#include "line_writer.h"
#include "sample_ring.h"
#include "usb_packet.h"
#include "wrapping_counter.h"

// A USB port as a script: each letter of `script` is one send(): 'n' takes nothing, a digit that many bytes,
// 'a' all, 'g' is a host that goes away. When the script ends, 'a'.
struct FakePort {
  const char* script;
  bool host = true;
  uint32_t clock_ms = 0;
  uint32_t waits = 0;

  bool connected() { return host; }
  size_t send(const char* bytes, size_t count) {
    const char what = *script ? *script++ : 'a';
    size_t room = count;
    if (what == 'n' || what == 'g') {
      room = 0;
      host = what != 'g';
    } else if (what >= '0' && what <= '9') {
      room = static_cast<size_t>(what - '0');
    }
    const size_t taken = room < count ? room : count;
    fwrite(bytes, 1, taken, stdout);
    return taken;
  }
  uint32_t now_ms() { return clock_ms; }
  void wait() {
    ++waits;
    clock_ms += 10;
  }
};

// Writes each further argument as one call; "-" is a host that comes back.
static int write_lines(int argc, char** argv) {
  FakePort port = {argv[2]};
  LineWriter<FakePort> writer;
  for (int i = 3; i < argc; ++i) {
    if (strcmp(argv[i], "-") == 0) {
      port.host = true;
    } else {
      writer.write(port, argv[i], strlen(argv[i]));
    }
  }
  fprintf(stdout, "|%u", static_cast<unsigned>(port.waits));
  return 0;
}

static int count_a_day() {
  WrappingCounter counter;
  uint32_t hardware = 0xFFFFFF00u;  // wraps at once, and 20 times more in a day of microseconds
  uint64_t expected = 0;
  uint64_t last = 0;
  counter.start(hardware);
  while (expected < 86400ull * 1000000ull) {
    const uint32_t step = static_cast<uint32_t>(7919u + expected % 999983u);
    hardware += step;
    expected += step;
    const uint64_t now = counter.extend(hardware);
    if (now != expected || now <= last) {
      printf("wrong at %llu\n", static_cast<unsigned long long>(expected));
      return 1;
    }
    last = now;
  }
  printf("%llu\n", static_cast<unsigned long long>(last));
  return 0;
}

static SampleRing<1024> ring;
constexpr uint32_t kBlocks = 60000;
constexpr size_t kBlock = 64;
static uint32_t pushed;
static uint32_t refused;

static void* produce(void*) {
  for (uint32_t block = 0; block < kBlocks; ++block) {
    int16_t samples[kBlock];
    for (size_t i = 0; i < kBlock; ++i) {
      samples[i] = static_cast<int16_t>(pushed * kBlock + i);
    }
    if (ring.push(samples, kBlock)) {
      ++pushed;
    } else {
      ++refused;
    }
  }
  return nullptr;
}

// A producer and a consumer at once: every accepted sample arrives once and in order.
static int race() {
  pthread_t producer;
  pthread_create(&producer, nullptr, produce, nullptr);
  uint64_t received = 0;
  bool joined = false;
  for (;;) {
    int16_t samples[100];
    const size_t count = ring.pop(samples, 100);
    for (size_t i = 0; i < count; ++i, ++received) {
      if (samples[i] != static_cast<int16_t>(received)) {
        printf("sample %llu is %d\n", static_cast<unsigned long long>(received), samples[i]);
        return 1;
      }
    }
    if (count == 0 && joined) break;
    if (count == 0 && ring.overruns() + received / kBlock >= kBlocks) {
      pthread_join(producer, nullptr);
      joined = true;
    }
  }
  printf("%d %d\n", received == static_cast<uint64_t>(pushed) * kBlock, ring.overruns() == refused);
  return 0;
}

static int overrun() {
  static SampleRing<8> small;
  int16_t samples[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  int16_t out[8];
  const bool first = small.push(samples, 6);
  const bool second = small.push(samples, 3);  // does not fit: refused whole
  const size_t some = small.pop(out, 4);
  const bool third = small.push(samples, 6);  // wraps around the end
  const size_t rest = small.pop(out, 8);
  printf("%d %d %zu %d %zu %u:", first, second, some, third, rest, static_cast<unsigned>(small.overruns()));
  for (size_t i = 0; i < rest; ++i) printf(" %d", out[i]);
  printf("\n");
  return 0;
}

static void print_board(const AxisMap& axes, float x, float y, float z) {
  const float sensor[3] = {x, y, z};
  int32_t board[3];
  if (axes.to_board(sensor, board)) {
    printf("%ld %ld %ld\n", static_cast<long>(board[0]), static_cast<long>(board[1]),
           static_cast<long>(board[2]));
  } else {
    printf("refused\n");
  }
}

static int turn_axes() {
  const float not_a_number = __builtin_nanf("");
  print_board(kLsm9ds1Axes, 0.1f, -0.2f, 0.98f);
  print_board(kBmi270Axes, 0.2f, -0.1f, 0.98f);
  print_board(kTurnedAxes, 0.1f, -0.2f, 0.98f);
  print_board(kLsm9ds1Axes, 0.0004f, 0.0006f, -0.0006f);
  print_board(kLsm9ds1Axes, not_a_number, 0.0f, 1.0f);
  print_board(kLsm9ds1Axes, 0.0f, 3.0e9f, 1.0f);
  return 0;
}

// A camera that sends rows of counted bytes, eight polls of a pin to a level, and may fall silent: its
// signals stay as they are from poll `silent_from` on.
struct FakeCamera {
  static constexpr int kRows = 3;
  static constexpr int kRowBytes = 4;
  static constexpr uint32_t kBlank = 40;
  static constexpr uint32_t kByte = 16;
  static constexpr uint32_t kRow = kRowBytes * kByte + kBlank;
  static constexpr uint32_t kFrame = 2 * kBlank + kRows * kRow;

  uint32_t silent_from = 0xFFFFFFFFu;
  uint32_t polls = 0;
  bool on = true;

  uint32_t time() {
    ++polls;
    const uint32_t now = polls + kFrame / 2;  // it runs already when it is asked
    return polls < silent_from ? now : silent_from + kFrame / 2;
  }
  bool vsync() { return time() % kFrame < kBlank; }
  bool href() { return in_row(time()); }
  bool pclk() {
    const uint32_t now = time();
    return !in_row(now) || place(now) % kByte >= kByte / 2;
  }
  uint8_t data() {
    const uint32_t now = polls + kFrame / 2;
    return static_cast<uint8_t>(10 * ((now % kFrame - 2 * kBlank) / kRow) + place(now) / kByte);
  }
  uint32_t now_us() { return polls * 1000; }
  void allow_interrupts(bool allowed) { on = allowed; }

 private:
  static uint32_t place(uint32_t now) { return (now % kFrame - 2 * kBlank) % kRow; }
  static bool in_row(uint32_t now) { return now % kFrame >= 2 * kBlank && place(now) < kRow - kBlank; }
};

// The frame of a camera that falls silent at a poll, or "none"; then the polls, and whether interrupts are
// on.
static int take_picture(uint32_t silent_from, bool every_other) {
  FakeCamera camera;
  camera.silent_from = silent_from;
  uint8_t frame[FakeCamera::kRows * FakeCamera::kRowBytes] = {};
  if (CameraFrame<FakeCamera>(camera).read(frame, FakeCamera::kRows, FakeCamera::kRowBytes, every_other)) {
    for (size_t i = 0; i < sizeof(frame) >> every_other; ++i) printf("%d ", frame[i]);
  } else {
    printf("none ");
  }
  printf("%u %d\n", static_cast<unsigned>(camera.polls), camera.on);
  return 0;
}

// A host sees what came in packets before one that is not full: how many of `count` bytes that are sent at
// once.
static int send_packets(size_t count) {
  size_t seen = 0;
  size_t waiting = 0;
  while (count > 0) {
    const size_t packet = usb_packet_bytes(count);
    waiting += packet;
    count -= packet;
    if (packet < kUsbPacketBytes) {
      seen += waiting;
      waiting = 0;
    }
  }
  printf("%zu\n", seen);
  return 0;
}

int main(int argc, char** argv) {
  const char* test = argc > 1 ? argv[1] : "";
  if (strcmp(test, "write") == 0) return write_lines(argc, argv);
  if (strcmp(test, "day") == 0) return count_a_day();
  if (strcmp(test, "race") == 0) return race();
  if (strcmp(test, "overrun") == 0) return overrun();
  if (strcmp(test, "axes") == 0) return turn_axes();
  if (strcmp(test, "picture") == 0 && argc == 4) {
    return take_picture(static_cast<uint32_t>(strtoul(argv[2], nullptr, 10)), argv[3][0] == '1');
  }
  if (strcmp(test, "packets") == 0 && argc == 3) return send_packets(strtoul(argv[2], nullptr, 10));
  return 2;
}
