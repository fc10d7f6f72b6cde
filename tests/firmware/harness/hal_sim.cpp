// A program for the virtual board: proves clock, counter, echo and fault reports of the Hal. One letter per
// test.
#include "hal.h"

static Hal hal;
volatile uint32_t sink;

__attribute__((noinline)) static void spin(uint32_t rounds) {
  __asm volatile(
      "1: subs %0, %0, #1\n"
      "bne 1b\n"
      : "+r"(rounds));
}

__attribute__((noinline)) static uint32_t recurse(uint32_t depth) {
  volatile uint32_t local[64];
  local[depth % 64] = depth;
  return sink == 1 ? depth : recurse(depth + 1) + local[(depth + 1) % 64];
}

static void print_number(uint64_t value) {
  char text[21];
  size_t at = sizeof(text);
  text[--at] = '\n';
  do {
    text[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  hal.serial_write(text + at, sizeof(text) - at);
}

static void test(char letter) {
  if (letter == 'c') {  // two instructions a round
    const uint64_t start = hal.instruction_count();
    spin(1000000);
    print_number(hal.instruction_count() - start);
  } else if (letter == 'i') {
    print_number(hal.instruction_count());
  } else if (letter == 'w') {  // longer than SysTick's 2^24 ticks of 40 instructions
    const uint64_t start = hal.instruction_count();
    spin(400000000);
    print_number(hal.instruction_count() - start);
  } else if (letter == 'm') {
    const uint32_t start = hal.clock_ms();
    spin(5000000);
    print_number(hal.clock_ms() - start);
  } else if (letter == 'f') {
    const volatile float third = 1.0f / (static_cast<float>(letter) - 99.0f);
    print_number(static_cast<uint64_t>(third * 3000.0f + 0.5f));
  } else if (letter == 'h') {
    sink = *reinterpret_cast<volatile uint32_t*>(0x30000000);
  } else if (letter == 'o') {
    sink = recurse(0);
  } else {
    hal.serial_write(&letter, 1);
  }
}

int main() {
  hal.begin();
  print_number(0);
  for (;;) {
    char letters[16];
    const size_t count = hal.serial_read(letters, sizeof(letters));
    for (size_t i = 0; i < count; ++i) {
      test(letters[i]);
    }
    if (count == 0) {
      hal.idle();
    }
  }
}
