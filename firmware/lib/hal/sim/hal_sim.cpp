// Hal of the virtual board: QEMU mps2-an386, CMSDK UART0, SysTick as clock and instruction counter.
#include "tinyml_build.h"

#if defined(TINYML_BOARD_SIM)

#include "../hal.h"
#include "registers.h"

namespace {

constexpr uint32_t kTicksPerPeriod = 1u << 24;  // SysTick is 24 bits wide
constexpr uint32_t kTicksPerMs = 25000;         // AN386 clocks the core, and SysTick, at 25 MHz
constexpr uint32_t kInstructionsPerTick = 40;   // -icount shift=0: one instruction each nanosecond
constexpr uint32_t kWriteTimeoutTicks = 500 * kTicksPerMs;

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

}  // namespace

extern "C" void SysTick_Handler() {
  tick_periods = tick_periods + 1;
}

void Hal::begin() {
  kUart0->baud_divider = 16;  // the smallest the UART accepts; QEMU moves bytes as fast as it can
  kUart0->control = kUartTxEnable | kUartRxEnable;
  kSysTick->reload = kTicksPerPeriod - 1;
  kSysTick->current = 0;
  kSysTick->control = kSysTickEnable | kSysTickInterrupt | kSysTickProcessorClock;
}

size_t Hal::serial_read(char* bytes, size_t capacity) {
  size_t count = 0;
  while (count < capacity && (kUart0->state & kUartRxFull) != 0) {
    bytes[count++] = static_cast<char>(kUart0->data);
  }
  return count;
}

void Hal::serial_write(const char* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if ((kUart0->state & kUartTxFull) != 0) {
      const uint64_t start = ticks();
      while ((kUart0->state & kUartTxFull) != 0) {
        if (!state_.host_reads || ticks() - start > kWriteTimeoutTicks) {
          state_.host_reads = false;
          return;
        }
      }
    }
    state_.host_reads = true;
    kUart0->data = static_cast<uint8_t>(bytes[i]);
  }
}

size_t Hal::microphone_read(int16_t*, size_t) {
  return 0;
}

void Hal::led(uint8_t, uint8_t, uint8_t) {}

uint32_t Hal::clock_ms() {
  return static_cast<uint32_t>(ticks() / kTicksPerMs);
}

uint64_t Hal::instruction_count() {
  return ticks() * kInstructionsPerTick;
}

// WFI also wakes for an interrupt that PRIMASK holds back, so the UART needs no handler: the line is enabled,
// slept on, and disabled again before it could be taken.
void Hal::idle() {
  __asm volatile("cpsid i" ::: "memory");
  kUart0->control = kUartTxEnable | kUartRxEnable | kUartRxInterruptEnable;
  *kNvicEnable = kUart0RxIrq;
  if ((kUart0->state & kUartRxFull) == 0) {
    __asm volatile("dsb\n wfi" ::: "memory");
  }
  *kNvicDisable = kUart0RxIrq;
  kUart0->control = kUartTxEnable | kUartRxEnable;
  kUart0->interrupt = kUartRxInterrupt;
  *kNvicClearPending = kUart0RxIrq;
  __asm volatile("cpsie i" ::: "memory");
}

#endif  // TINYML_BOARD_SIM
