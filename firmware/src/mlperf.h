// The device's side of MLPerf Tiny's benchmark: a buffer that the host fills, inferences on it, results.
//
// The generated bench_settings.h defines the meaning of the buffer's bytes and of the results.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bench_settings.h"
#include "mlperf_command.h"
#include "session.h"

class Mlperf {
 public:
  explicit Mlperf(Session& session) : session_(session) {}

  // The greeting of a device under test after boot.
  void greet();

  // Executes one command, without its '%', and reports that it is ready for the next.
  void handle(char* text, size_t length);

  // Forgets the buffer.
  void reset();

 private:
  void execute(const MlperfCommand& command);
  void send_profile();
  void send_help();
  void timestamp();
  void start_loading(uint32_t bytes);
  void load(const uint8_t* data, size_t bytes);
  void print_buffer(uint32_t count, uint32_t offset);
  void infer(uint32_t inferences, uint32_t warmups);
  bool repeat(uint32_t times);
  void fill_input();
  void send_results();
  void error(const char* what);
  TextLine line() { return TextLine(session_.sink()); }

  Session& session_;
  size_t expected_ = 0;  // bytes that `db load` announced
  size_t loaded_ = 0;
  bool has_results_ = false;
  alignas(8) uint8_t buffer_[BENCH_BUFFER_BYTES];
};
