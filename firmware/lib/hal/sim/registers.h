// The few registers of QEMU's mps2-an386 that the virtual board uses.
// Sources: Arm AN386 (memory map, interrupt numbers), Cortex-M System Design Kit TRM (UART), ARMv7-M ARM (system).
#pragma once

#include <stdint.h>

struct CmsdkUart {
  volatile uint32_t data;
  volatile uint32_t state;
  volatile uint32_t control;
  volatile uint32_t interrupt;  // read: status, write 1: clear
  volatile uint32_t baud_divider;
};

struct SysTickTimer {
  volatile uint32_t control;
  volatile uint32_t reload;
  volatile uint32_t current;
};

enum : uint32_t {
  kUartTxFull = 1u << 0,  // state
  kUartRxFull = 1u << 1,
  kUartTxEnable = 1u << 0,  // control
  kUartRxEnable = 1u << 1,
  kUartRxInterruptEnable = 1u << 3,
  kUartRxInterrupt = 1u << 1,  // interrupt
  kSysTickEnable = 1u << 0,
  kSysTickInterrupt = 1u << 1,
  kSysTickProcessorClock = 1u << 2,
  kSysTickPending = 1u << 26,  // kInterruptControl
  kUart0RxIrq = 1u << 0,       // NVIC line 0
};

static CmsdkUart* const kUart0 = reinterpret_cast<CmsdkUart*>(0x40004000);
static SysTickTimer* const kSysTick = reinterpret_cast<SysTickTimer*>(0xE000E010);
static volatile uint32_t* const kNvicEnable = reinterpret_cast<volatile uint32_t*>(0xE000E100);
static volatile uint32_t* const kNvicDisable = reinterpret_cast<volatile uint32_t*>(0xE000E180);
static volatile uint32_t* const kNvicClearPending = reinterpret_cast<volatile uint32_t*>(0xE000E280);
static volatile uint32_t* const kInterruptControl = reinterpret_cast<volatile uint32_t*>(0xE000ED04);
static volatile uint32_t* const kFaultStatus = reinterpret_cast<volatile uint32_t*>(0xE000ED28);
static volatile uint32_t* const kFaultAddress = reinterpret_cast<volatile uint32_t*>(0xE000ED38);
static volatile uint32_t* const kCoprocessorAccess = reinterpret_cast<volatile uint32_t*>(0xE000ED88);
