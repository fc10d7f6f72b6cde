// From reset to main() on the virtual board, and the handling of faults.
//
// The linker script puts the stack at the bottom of RAM, and the MPU protects what is below: an overflow
// faults instead of silently overwriting variables.
#include "tinyml_build.h"

#if defined(TINYML_HAL_SIM)

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "registers.h"
#include "semihosting.h"

extern "C" {

extern uint32_t _stack_bottom[], _stack_top[];
extern uint32_t _data_load[], _data_start[], _data_end[], _bss_start[], _bss_end[];
typedef void (*Initializer)();
extern Initializer _init_array_start[], _init_array_end[];

int main();
void SysTick_Handler();

// Lets C++ runtimes that register destructors at exit link: this program never exits.
void* __dso_handle = nullptr;
int __aeabi_atexit(void*, void (*)(void*), void*) {
  return 0;
}
int atexit(void (*)()) {
  return 0;
}

// There is no heap. An accidental malloc gets a clean "out of memory".
void* _sbrk(ptrdiff_t) {
  errno = ENOMEM;
  return reinterpret_cast<void*>(-1);
}

static constexpr uint32_t kFrameBytes = 32;

static void put_text(uint32_t handle, const char* text) {
  write_stream(handle, text, strlen(text));
}

static void put_hex(uint32_t handle, uint32_t value) {
  char text[] = "0x00000000";
  for (int digit = 0; digit < 8; ++digit) {
    text[9 - digit] = "0123456789abcdef"[(value >> (4 * digit)) & 15u];
  }
  put_text(handle, text);
}

__attribute__((used, noreturn)) void report_fault(const uint32_t* frame) {
  // The frame that the core pushed: r0-r3, r12, lr, pc, xpsr. After a stack overflow it is not in RAM.
  const uintptr_t address = reinterpret_cast<uintptr_t>(frame);
  const bool overflow = address < reinterpret_cast<uintptr_t>(_stack_bottom) ||
                        address > reinterpret_cast<uintptr_t>(_stack_top) - kFrameBytes;
  const uint32_t output = open_stream(HostStream::kOutput);
  put_text(output, "\n{\"event\":\"fault\",\"what\":\"");
  put_text(output, overflow ? "stack overflow" : "hard fault");
  if (!overflow) {
    put_text(output, " pc=");
    put_hex(output, frame[6]);
  }
  put_text(output, " cfsr=");
  put_hex(output, *kFaultStatus);
  put_text(output, " bfar=");
  put_hex(output, *kFaultAddress);
  put_text(output, "\"}\n");
  exit_emulator(ExitReason::kRunTimeError);
}

__attribute__((naked)) void HardFault_Handler() {
  __asm volatile(
      "mov r0, sp\n"
      "ldr r1, =_stack_top\n"
      "mov sp, r1\n"
      "b report_fault\n");
}

__attribute__((naked, noreturn)) void Reset_Handler() {
  __asm volatile(
      "ldr r0, =_stack_top\n"
      "mov sp, r0\n"
      "b start_program\n");
}

static void guard_stack() {
  constexpr uint32_t kGuardBytesLog2 = 20;
  kMpu->region_base = (reinterpret_cast<uint32_t>(_stack_bottom) - (1u << kGuardBytesLog2)) | kMpuRegionValid;
  kMpu->region_attributes =
      kMpuNoExecute | ((kGuardBytesLog2 - 1) << 1) | kMpuRegionEnable;  // no access at all
  kMpu->control = kMpuEnable | kMpuDefaultMap;
}

__attribute__((used, noreturn)) void start_program() {
  *kCoprocessorAccess |= 0xFu << 20;  // full access to the FPU (CP10, CP11)
  guard_stack();
  __asm volatile("dsb\n isb" ::: "memory");
  const uint32_t* source = _data_load;
  for (uint32_t* word = _data_start; word < _data_end; ++word) {
    *word = *source++;
  }
  for (uint32_t* word = _bss_start; word < _bss_end; ++word) {
    *word = 0;
  }
  for (Initializer* initializer = _init_array_start; initializer < _init_array_end; ++initializer) {
    (*initializer)();
  }
  main();
  for (;;) {
  }
}

}  // extern "C"

namespace {

union Vector {
  const void* stack;
  void (*handler)();
};

// System exceptions 0..15. No device interrupt is ever enabled, so the table ends there.
__attribute__((section(".vectors"), used)) const Vector kVectors[16] = {
    {_stack_top},
    {reinterpret_cast<const void*>(Reset_Handler)},
    {reinterpret_cast<const void*>(HardFault_Handler)},  // NMI
    {reinterpret_cast<const void*>(HardFault_Handler)},
    {reinterpret_cast<const void*>(HardFault_Handler)},  // memory management
    {reinterpret_cast<const void*>(HardFault_Handler)},  // bus
    {reinterpret_cast<const void*>(HardFault_Handler)},  // usage
    {nullptr},
    {nullptr},
    {nullptr},
    {nullptr},
    {reinterpret_cast<const void*>(HardFault_Handler)},  // SVCall
    {reinterpret_cast<const void*>(HardFault_Handler)},  // debug monitor
    {nullptr},
    {reinterpret_cast<const void*>(HardFault_Handler)},  // PendSV
    {reinterpret_cast<const void*>(SysTick_Handler)},
};

}  // namespace

#endif  // TINYML_HAL_SIM
