@ A program whose instructions can be counted by hand. It runs network_invoke twice, then leaves the emulator.
  .syntax unified
  .cpu cortex-m4
  .thumb
  .text
  .word _stack_top
  .word reset

  .type reset, %function
reset:
  bl network_invoke
  bl network_invoke
  movs r0, #0x18
  ldr r1, =0x20026
  bkpt 0xab
  .ltorg

  .type network_invoke, %function
network_invoke:
  push {r4, lr}
  bl op_00_loop
  bl op_01_page
  bl op_02_reads
  movs r0, #0
  pop {r4, pc}
  .size network_invoke, . - network_invoke

  .type op_00_loop, %function
op_00_loop:
  movs r2, #100
1:
  subs r2, #1
  bne 1b
  bx lr
  .size op_00_loop, . - op_00_loop

  .type op_02_reads, %function
op_02_reads:
  ldr r0, =0x12345678
  adr r1, constants
  ldmia r1, {r2, r3}
  str r0, [sp, #-4]
  ldr r0, [sp, #-4]
  bx lr
  .balign 4
constants:
  .word 1, 2
  .ltorg
  .size op_02_reads, . - op_02_reads

@ Its loop holds an instruction that lies across two of the emulator's pages of 1024 bytes.
  .balign 1024
  .space 1016
  .type op_01_page, %function
op_01_page:
  movs r2, #3
  nop
1:
  adds r3, #1
  add.w r3, r3, #1
  subs r2, #1
  bne 1b
  push {r4, r5, r6, r7}
  pop {r4, r5, r6, r7}
  bx lr
  .size op_01_page, . - op_01_page
