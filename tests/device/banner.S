/* A test double for the virtual board: prints one `ready` line on UART0 of mps2-an386, then echoes bytes. */
.syntax unified
.cpu cortex-m4
.thumb
.section .vectors, "a"
.word 0x20001000
.word start + 1
.text
.global start
start:
  ldr r0, =0x40004000
  movs r1, #16
  str r1, [r0, #16]
  movs r1, #3
  str r1, [r0, #8]
  ldr r2, =banner
next:
  ldrb r3, [r2], #1
  cbz r3, echo
  bl send
  b next
echo:
  ldr r4, [r0, #4]
  tst r4, #2
  beq echo
  ldr r3, [r0]
  cmp r3, #0x21            /* '!': jump to nowhere, as a crashing firmware does */
  beq crash
  bl send
  b echo
crash:
  ldr r3, =0xf0000000
  bx r3
send:
  ldr r4, [r0, #4]
  tst r4, #1
  bne send
  str r3, [r0]
  bx lr
.ltorg
banner:
  .asciz "{\"event\":\"ready\",\"protocol\":1,\"tinyml\":\"0\",\"app\":\"echo\",\"board\":\"sim\",\"engine\":\"none\",\"model\":\"0\"}\n"
