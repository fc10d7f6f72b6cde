#include "host_io.h"

#include <stdio.h>
#include <stdlib.h>

HostFile host_open_to_read(const char* path) {
  return (HostFile)fopen(path, "rb");
}

HostFile host_open_to_write(const char* path) {
  return (HostFile)fopen(path, "wb");
}

void host_read(HostFile file, void* data, size_t bytes) {
  if (!file || fread(data, 1, bytes, (FILE*)file) != bytes) host_exit(1);
}

void host_write(HostFile file, const void* data, size_t bytes) {
  if (!file || fwrite(data, 1, bytes, (FILE*)file) != bytes) host_exit(1);
}

void host_exit(int status) {
  fflush(NULL);
  /* Not exit(): the open files are not this program's leaks. */
  _Exit(status);
}

uint32_t host_instruction_steps(void) {
  return 0;
}
