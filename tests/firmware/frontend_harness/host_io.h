/* Files of the host, for a test program: stdio on the host itself, Arm semihosting on the virtual board. */
#ifndef HOST_IO_H_
#define HOST_IO_H_

#include <stddef.h>
#include <stdint.h>

typedef intptr_t HostFile;

HostFile host_open_to_read(const char* path);
HostFile host_open_to_write(const char* path);

/* Both end the program with status 1 unless all bytes went through. */
void host_read(HostFile file, void* data, size_t bytes);
void host_write(HostFile file, const void* data, size_t bytes);

/* Closes all files. */
void host_exit(int status);

/* Counts instructions, in steps of 40, on the virtual board (-icount shift=0); 0 elsewhere. Wraps after
 * 2^24 steps. */
uint32_t host_instruction_steps(void);

#endif
