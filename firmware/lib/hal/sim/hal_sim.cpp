// Hal of the virtual board: QEMU mps2-an386, semihosting as serial link, SysTick as clock and instruction
// counter.
//
// Semihosting moves whole lines; QEMU's emulated UART takes an iteration of its main loop per byte. A read
// halts the board, including its clock, until the host sends something: sim has no other source of events.
#include "tinyml_build.h"

#if defined(TINYML_HAL_SIM)

#include <string.h>

#include "../hal.h"
#include "registers.h"
#include "semihosting.h"

namespace {

constexpr uint32_t kTicksPerPeriod = 1u << 24;  // SysTick is 24 bits wide
constexpr uint32_t kTicksPerUs = 25;            // AN386 clocks the core, and SysTick, at 25 MHz
constexpr uint32_t kInstructionsPerTick = 40;   // -icount shift=0: one instruction each nanosecond

volatile uint32_t tick_periods = 0;  // counted by SysTick_Handler

uint64_t ticks() {
  for (;;) {
    const uint32_t periods = tick_periods;
    const uint32_t elapsed = (kTicksPerPeriod - kSysTick->current) % kTicksPerPeriod;  // 0 is the wrap itself
    const bool wrapped = (*kInterruptControl & kSysTickPending) != 0;
    if (periods == tick_periods && !wrapped) {
      return static_cast<uint64_t>(periods) * kTicksPerPeriod + elapsed;
    }
  }
}

void flush(HalState* state) {
  const size_t count = state->used;
  state->used = 0;
  if (!write_stream(state->output, state->line, count)) {
    exit_emulator(ExitReason::kApplicationExit);
  }
}

}  // namespace

extern "C" void SysTick_Handler() {
  tick_periods = tick_periods + 1;
}

void Hal::begin() {
  state_.input = open_stream(HostStream::kInput);
  state_.output = open_stream(HostStream::kOutput);
  kSysTick->reload = kTicksPerPeriod - 1;
  kSysTick->current = 0;
  kSysTick->control = kSysTickEnable | kSysTickInterrupt | kSysTickProcessorClock;
}

size_t Hal::serial_read(char* bytes, size_t capacity) {
  flush(&state_);
  const size_t count = read_stream(state_.input, bytes, capacity);
  if (count == 0 && capacity > 0) {
    exit_emulator(ExitReason::kApplicationExit);  // nobody can ask for anything any more
  }
  return count;
}

void Hal::serial_write(const char* bytes, size_t count) {
  while (count > 0) {
    const size_t room = sizeof(state_.line) - state_.used;
    const size_t piece = count < room ? count : room;
    memcpy(state_.line + state_.used, bytes, piece);
    state_.used += piece;
    bytes += piece;
    count -= piece;
    if (state_.used == sizeof(state_.line) || bytes[-1] == '\n') {
      flush(&state_);
    }
  }
}

uint32_t Hal::clock_ms() {
  return static_cast<uint32_t>(clock_us() / 1000u);
}

uint64_t Hal::clock_us() {
  return ticks() / kTicksPerUs;
}

uint64_t Hal::instruction_count() {
  return ticks() * kInstructionsPerTick;
}

uint64_t Hal::cycle_count() {
  return 0;
}

void Hal::idle() {}  // serial_read() waits

#endif  // TINYML_HAL_SIM
