/* Runs kernels on the cases of job.bin and writes outputs.bin. Every array of a case lies between guard
 * bytes; on the host it is an allocation of exactly its size besides, so that the sanitizers see reads
 * outside of it. */
#include <string.h>

#include "host_io.h"
#include "tinyml_nn.h"

enum {
  kConvolve,
  kConvolve1x1,
  kDepthwise3x3,
  kFullyConnected,
  kDepthwise,
  kDepthwiseLine,
  kAveragePool,
  kMaxPool,
  kConvolvePlain,
  kDepthwisePlain,
  kFullyConnectedPlain
};
enum { kGuardBytes = 32, kGuard = 0x5A };

/* What precedes the arrays of a case in the file. Sizes are in bytes. */
typedef struct {
  int32_t kind, in_place, inputs, misalignment;
  int32_t parameters, weights, channels, scales; /* arrays that stay */
  int32_t input, scratch, output;
} Case;

#ifdef __arm__

static _Alignas(8) uint8_t pool[200 * 1024];
static size_t used;

static uint8_t* allocate(size_t bytes) {
  const size_t whole = (bytes + 7) / 8 * 8 + kGuardBytes;
  if (used + whole > sizeof pool) host_exit(2);
  uint8_t* const block = pool + used;
  memset(block, kGuard, whole);
  used += whole;
  return block;
}

static void check(const uint8_t* block, size_t bytes) {
  for (size_t i = 0; i < kGuardBytes; ++i) {
    if (block[bytes + i] != kGuard) host_exit(3);
  }
}

static void release(uint8_t* block) {
  (void)block;
  used = 0;
}

#else

#include <stdlib.h>

static uint8_t* allocate(size_t bytes) {
  return malloc(bytes);
}

static void check(const uint8_t* block, size_t bytes) {
  (void)block;
  (void)bytes;
}

static void release(uint8_t* block) {
  free(block);
}

#endif

static uint8_t* read_array(HostFile file, int32_t bytes, int32_t misalignment) {
  uint8_t* const block = allocate((size_t)(bytes + misalignment));
  if (bytes > 0) host_read(file, block + misalignment, (size_t)bytes);
  return block;
}

static void run_kernel(const Case* c, const uint8_t* parameters, const int8_t* input, const int8_t* weights,
                       const int32_t* channels, const int32_t* scales, uint8_t* scratch, int8_t* output) {
  tinyml_nn_window window;
  tinyml_nn_dense dense;
  const int is_dense = c->kind == kFullyConnected || c->kind == kFullyConnectedPlain;
  memcpy(is_dense ? (void*)&dense : (void*)&window, parameters, (size_t)c->parameters);
  switch (c->kind) {
    case kConvolve:
      tinyml_nn_convolve_s8(&window, input, weights, channels, scratch, output);
      break;
    case kConvolve1x1:
      tinyml_nn_convolve_1x1_s8(&window, input, weights, channels, scratch, output);
      break;
    case kDepthwise3x3:
      tinyml_nn_depthwise_3x3_s8(&window, input, weights, channels, scratch, output);
      break;
    case kFullyConnected:
      tinyml_nn_fully_connected_s8(&dense, input, weights, channels, scales, output);
      break;
    case kDepthwise:
      tinyml_nn_depthwise_s8(&window, input, weights, channels, scratch, output);
      break;
    case kDepthwiseLine:
      tinyml_nn_depthwise_line_s8(&window, input, weights, channels, scratch, output);
      break;
    case kAveragePool:
      tinyml_nn_average_pool_s8(&window, input, output);
      break;
    case kMaxPool:
      tinyml_nn_max_pool_s8(&window, input, output);
      break;
    case kConvolvePlain:
      tinyml_nn_convolve_plain_s8(&window, input, weights, channels, scratch, output);
      break;
    case kDepthwisePlain:
      tinyml_nn_depthwise_plain_s8(&window, input, weights, channels, scratch, output);
      break;
    case kFullyConnectedPlain:
      tinyml_nn_fully_connected_plain_s8(&dense, input, weights, channels, output);
      break;
    default:
      host_exit(4);
  }
}

static void run_case(HostFile job, HostFile outputs, const Case* c) {
  const int32_t shift = c->misalignment, back = (4 - shift) % 4;
  uint8_t* const parameters = read_array(job, c->parameters, 0);
  uint8_t* const weights = read_array(job, c->weights, 0);
  uint8_t* const channels = read_array(job, c->channels, 0);
  uint8_t* const scales = read_array(job, c->scales, 0);
  uint8_t* const scratch = allocate((size_t)c->scratch);
  uint8_t* const output = allocate((size_t)(c->output + back));
  uint8_t* const input = allocate((size_t)(c->input + shift));
  for (int32_t i = 0; i < c->inputs; ++i) {
    host_read(job, input + shift, (size_t)c->input);
    memset(scratch, 0x80, (size_t)c->scratch);
    run_kernel(c, parameters, (const int8_t*)input + shift, (const int8_t*)weights, (const int32_t*)channels,
               (const int32_t*)scales, scratch, (int8_t*)output + back);
    host_write(outputs, output + back, (size_t)c->output);
    if (!c->in_place) continue;
    run_kernel(c, parameters, (const int8_t*)input + shift, (const int8_t*)weights, (const int32_t*)channels,
               (const int32_t*)scales, scratch, (int8_t*)input + shift);
    if (memcmp(input + shift, output + back, (size_t)c->output) != 0) host_exit(5);
  }
  check(scratch, (size_t)c->scratch);
  check(output, (size_t)(c->output + back));
  check(input, (size_t)(c->input + shift));
  uint8_t* const blocks[] = {parameters, weights, channels, scales, scratch, output, input};
  for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; ++i) release(blocks[i]);
}

int main(void) {
  const HostFile job = host_open_to_read("job.bin"), outputs = host_open_to_write("outputs.bin");
  int32_t cases;
  host_read(job, &cases, sizeof cases);
  for (int32_t i = 0; i < cases; ++i) {
    Case c;
    host_read(job, &c, sizeof c);
    run_case(job, outputs, &c);
  }
  host_exit(0);
}
