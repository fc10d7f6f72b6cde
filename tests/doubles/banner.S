/* A test double for the virtual board: says one `ready` line through semihosting, then echoes what it reads.
 * `!` makes it jump to nowhere, as a crashing firmware does; `?` makes it hang; the end of input ends it. */
.syntax unified
.cpu cortex-m4
.thumb

.equ SYS_OPEN, 0x01
.equ SYS_WRITE, 0x05
.equ SYS_READ, 0x06
.equ SYS_EXIT, 0x18
.equ APPLICATION_EXIT, 0x20026
.equ BUFFER, 0x20001000
.equ BUFFER_BYTES, 1024

.macro semihosting operation
  movs r0, #\operation
  bkpt 0xab
.endm

.section .vectors, "a"
.word 0x20001000
.word start + 1

.text
.global start
start:
  ldr r1, =open_input
  semihosting SYS_OPEN
  mov r4, r0
  ldr r1, =open_output
  semihosting SYS_OPEN
  mov r5, r0
  ldr r6, =BUFFER
  sub sp, #12
  ldr r1, =banner
  movs r2, #banner_end - banner
  bl write
echo:
  movw r2, #BUFFER_BYTES
  strd r4, r6, [sp]
  str r2, [sp, #8]
  mov r1, sp
  semihosting SYS_READ
  movw r2, #BUFFER_BYTES
  subs r2, r2, r0          /* SYS_READ returns how many bytes are missing */
  beq exit
  add r3, r6, r2
look:
  ldrb r7, [r3, #-1]!
  cmp r7, #'!'
  beq crash
hang:
  cmp r7, #'?'
  beq hang
  cmp r3, r6
  bne look
  mov r1, r6
  bl write
  b echo
exit:
  ldr r1, =APPLICATION_EXIT
  semihosting SYS_EXIT
crash:
  ldr r3, =0xf0000000
  bx r3

write:                     /* r2 bytes from r1 */
  strd r5, r1, [sp]
  str r2, [sp, #8]
  mov r1, sp
  semihosting SYS_WRITE
  bx lr
.ltorg

.align 2
open_input:
  .word console, 0, 3
open_output:
  .word console, 4, 3
console:
  .asciz ":tt"
banner:
  .ascii "{\"event\":\"ready\",\"protocol\":1,\"tinyml\":\"0\",\"app\":\"echo\",\"board\":\"sim\",\"engine\":\"none\",\"model\":\"0\"}\n"
banner_end:
