// The stack that setup() and loop() run on. Arduino's core reserves 32 KB for it, in an object that comes
// compiled; the linker's --wrap=mbed_rtos_start puts this in its place, and drops the core's with its stack.
// The rest is that of mbed-os, cmsis/device/rtos/source/mbed_rtos_rtx.c.
#include "tinyml_build.h"

#if defined(TINYML_HAL_NANO33BLE) && defined(TINYML_MAIN_STACK_BYTES)

#include <mbed_config.h>

#include <cmsis_os2.h>
#include <mbed_boot.h>
#include <mbed_error.h>
#include <rtos/internal/mbed_rtos_storage.h>

namespace {

alignas(8) char stack[TINYML_MAIN_STACK_BYTES];
mbed_rtos_storage_thread_t thread __attribute__((section(".bss.os.thread.cb")));

void start(void*) {
  mbed_start();
}

}  // namespace

extern "C" MBED_NORETURN void __wrap_mbed_rtos_start() {
  static osThreadAttr_t attributes = {};
  attributes.name = "main";
  attributes.cb_mem = &thread;
  attributes.cb_size = sizeof(thread);
  attributes.stack_mem = stack;
  attributes.stack_size = sizeof(stack);
  attributes.priority = osPriorityNormal;
  if (osThreadNew(start, nullptr, &attributes) != nullptr) {
    osKernelStart();
  }
  MBED_ERROR(MBED_MAKE_ERROR(MBED_MODULE_PLATFORM, MBED_ERROR_CODE_INITIALIZATION_FAILED), "no main thread");
}

#endif  // TINYML_HAL_NANO33BLE && TINYML_MAIN_STACK_BYTES
