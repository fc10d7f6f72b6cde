/* Start-up and host files for QEMU's Cortex-M4: "Semihosting for AArch32 and AArch64", Arm, release 2.0. */
#include "host_io.h"

enum { kOpen = 0x01, kWrite = 0x05, kRead = 0x06, kExitExtended = 0x20 };
enum { kModeReadBinary = 1, kModeWriteBinary = 5 };
enum { kApplicationExit = 0x20026 };

extern uint32_t _stack_top, _data_load, _data_start, _data_end, _bss_start, _bss_end;
int main(void);

void Reset_Handler(void) {
  *(volatile uint32_t*)0xE000ED88 |= 0xFu << 20; /* CPACR: FPU on */
  __asm volatile("dsb\n isb" ::: "memory");
  const uint32_t* from = &_data_load;
  for (uint32_t* to = &_data_start; to < &_data_end;) *to++ = *from++;
  for (uint32_t* to = &_bss_start; to < &_bss_end;) *to++ = 0;
  *(volatile uint32_t*)0xE000E014 = 0xFFFFFF; /* SysTick: reload, then on, from the processor clock */
  *(volatile uint32_t*)0xE000E018 = 0;
  *(volatile uint32_t*)0xE000E010 = 5;
  host_exit(main());
}

static void fault(void) {
  host_exit(99);
}

__attribute__((section(".vectors"), used)) static void* const kVectors[16] = {
    &_stack_top, (void*)Reset_Handler, (void*)fault, (void*)fault, (void*)fault, (void*)fault, (void*)fault,
};

static int32_t call(uint32_t operation, const void* arguments) {
  register uint32_t r0 __asm("r0") = operation;
  register const void* r1 __asm("r1") = arguments;
  __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return (int32_t)r0;
}

static HostFile open_file(const char* path, uint32_t mode) {
  uint32_t length = 0;
  while (path[length]) ++length;
  const uint32_t arguments[3] = {(uint32_t)path, mode, length};
  return call(kOpen, arguments);
}

HostFile host_open_to_read(const char* path) {
  return open_file(path, kModeReadBinary);
}

HostFile host_open_to_write(const char* path) {
  return open_file(path, kModeWriteBinary);
}

static void transfer(uint32_t operation, HostFile file, const void* data, size_t bytes) {
  const uint32_t arguments[3] = {(uint32_t)file, (uint32_t)data, bytes};
  if (file < 0 || call(operation, arguments) != 0) host_exit(1);
}

void host_read(HostFile file, void* data, size_t bytes) {
  transfer(kRead, file, data, bytes);
}

void host_write(HostFile file, const void* data, size_t bytes) {
  transfer(kWrite, file, data, bytes);
}

void host_exit(int status) {
  const uint32_t arguments[2] = {kApplicationExit, (uint32_t)status};
  call(kExitExtended, arguments);
  for (;;) {
  }
}

uint32_t host_instruction_steps(void) {
  return 0xFFFFFF - *(volatile uint32_t*)0xE000E018;
}
