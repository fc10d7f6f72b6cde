#include "tinyml_build.h"

#if defined(TINYML_APP_BENCH)

#include <string.h>

#include "mlperf.h"
#include "model_settings.h"

namespace {

constexpr size_t kPrintedPerLine = 8;
constexpr char kEnd[] = "\r\n";

#if defined(BENCH_INPUT_FLOAT32) || defined(BENCH_RESULT_SQUARED_ERROR)
inline double read_float(const uint8_t* bytes) {
  float value = 0;
  memcpy(&value, bytes, sizeof(value));
  return static_cast<double>(value);
}
#endif

#if defined(BENCH_INPUT_FLOAT32)
// Half away from zero, as the host quantises; NaN becomes the smallest value.
inline int8_t quantize(double value) {
  const double scaled = value / BENCH_INPUT_SCALE;
  if (scaled >= 127 - BENCH_INPUT_ZERO_POINT) {
    return 127;
  }
  if (!(scaled > -128 - BENCH_INPUT_ZERO_POINT)) {
    return -128;
  }
  const int rounded = static_cast<int>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  return static_cast<int8_t>(rounded + BENCH_INPUT_ZERO_POINT);
}
#endif

#if !defined(BENCH_RESULT_NONE)
inline double dequantize(int8_t value) {
  return BENCH_OUTPUT_SCALE * (value - BENCH_OUTPUT_ZERO_POINT);
}

// A number with BENCH_RESULT_DECIMALS digits after the point, as an integer. The largest values fit
// 64 bits; NaN becomes 0.
inline int64_t to_decimal(double value) {
  constexpr double kLargest = 9e17;
  for (int i = 0; i < BENCH_RESULT_DECIMALS; ++i) {
    value *= 10;
  }
  value += value < 0 ? -0.5 : 0.5;
  if (value >= kLargest || value <= -kLargest) {
    value = value < 0 ? -kLargest : kLargest;
  }
  return value == value ? static_cast<int64_t>(value) : 0;
}
#endif

}  // namespace

void Mlperf::greet() {
  line().text("m-timestamp-mode-performance").text(kEnd).flush();
  timestamp();
  line().text("m-init-done").text(kEnd).flush();
  line().text("m-ready").text(kEnd).flush();
}

void Mlperf::reset() {
  expected_ = 0;
  loaded_ = 0;
  has_results_ = false;
}

void Mlperf::handle(char* text, size_t length) {
  MlperfCommand command;
  const MlperfError problem = parse_mlperf_command(text, length, &command);
  if (problem == MlperfError::kNone) {
    execute(command);
  } else {
    error(mlperf_error_text(problem));
  }
  line().text("m-ready").text(kEnd).flush();
}

void Mlperf::execute(const MlperfCommand& command) {
  switch (command.verb) {
    case MlperfVerb::kNone:
      break;
    case MlperfVerb::kName:
      line().text("m-name-dut-[" TINYML_BOARD_NAME "]").text(kEnd).flush();
      break;
    case MlperfVerb::kTimestamp:
      timestamp();
      break;
    case MlperfVerb::kProfile:
      send_profile();
      break;
    case MlperfVerb::kHelp:
      send_help();
      break;
    case MlperfVerb::kResults:
      send_results();
      break;
    case MlperfVerb::kInfer:
      infer(command.numbers[0], command.numbers[1]);
      break;
    case MlperfVerb::kLoad:
      start_loading(command.numbers[0]);
      break;
    case MlperfVerb::kData:
      load(command.data, command.bytes);
      break;
    case MlperfVerb::kPrint:
      print_buffer(command.numbers[0], command.numbers[1]);
      break;
  }
}

void Mlperf::send_profile() {
  line().text("m-profile-[tinyml " TINYML_VERSION "]").text(kEnd).flush();
  line().text("m-model-[" BENCH_MODEL "]").text(kEnd).flush();
}

void Mlperf::send_help() {
  static const char* const kLines[] = {
      "name                  which device this is",
      "profile               which firmware, and which benchmark's model",
      "timestamp             the clock, in microseconds",
      "db load N             N bytes of input will follow",
      "db HEX                the next bytes of input",
      "db print [N [OFFSET]] shows the input's bytes",
      "infer [N [W]]         W inferences that do not count, then N that do",
      "results               the last inference's results",
  };
  for (const char* text : kLines) {
    line().text(text).text(kEnd).flush();
  }
}

void Mlperf::timestamp() {
  line().text("m-lap-us-").number(session_.hal().clock_us()).text(kEnd).flush();
}

void Mlperf::start_loading(uint32_t bytes) {
  reset();
  if (bytes != sizeof(buffer_)) {
    line().text("e-[this model takes ").number(sizeof(buffer_)).text(" bytes]").text(kEnd).flush();
    return;
  }
  expected_ = bytes;
  line().text("m-[expecting ").number(bytes).text(" bytes]").text(kEnd).flush();
}

void Mlperf::load(const uint8_t* data, size_t bytes) {
  if (loaded_ == expected_) {
    error("say `db load N` first");
    return;
  }
  const size_t room = expected_ - loaded_;
  const size_t piece = bytes < room ? bytes : room;
  memcpy(buffer_ + loaded_, data, piece);
  loaded_ += piece;
  if (loaded_ == expected_) {
    line().text("m-load-done").text(kEnd).flush();
  }
}

void Mlperf::print_buffer(uint32_t count, uint32_t offset) {
  const size_t end = offset < loaded_ && count < loaded_ - offset ? offset + count : loaded_;
  for (size_t start = offset; start < end; start += kPrintedPerLine) {
    TextLine bytes = line();
    bytes.text("m-buffer");
    for (size_t i = start; i < end && i < start + kPrintedPerLine; ++i) {
      bytes.put('-').hex_byte(buffer_[i]);
    }
    bytes.text(kEnd).flush();
  }
}

void Mlperf::infer(uint32_t inferences, uint32_t warmups) {
  has_results_ = false;
  if (inferences == 0) {
    error("at least one inference is needed");
    return;
  }
  if (!session_.inference().ready()) {
    error("the model cannot run");
    return;
  }
  if (loaded_ != sizeof(buffer_)) {
    error("the input is not complete");
    return;
  }
  line().text("m-warmup-start-").number(warmups).text(kEnd).flush();
  bool done = repeat(warmups);
  line().text("m-warmup-done").text(kEnd).flush();
  line().text("m-infer-start-").number(inferences).text(kEnd).flush();
  timestamp();
  done = done && repeat(inferences);
  timestamp();
  line().text("m-infer-done").text(kEnd).flush();
  if (!done) {
    error(session_.inference().error());
    return;
  }
  has_results_ = true;
  send_results();
}

bool Mlperf::repeat(uint32_t times) {
  for (uint32_t i = 0; i < times; ++i) {
    session_.hal().watchdog_feed();
    fill_input();  // an inference may overwrite its input
    if (!session_.infer()) {
      return false;
    }
  }
  return true;
}

void Mlperf::fill_input() {
#if defined(BENCH_INPUT_INT8)
  session_.inference().write(0, buffer_, sizeof(buffer_));
#elif defined(BENCH_INPUT_UINT8_MINUS_128)
  int8_t* input = static_cast<int8_t*>(session_.inference().engine().input(0));
  for (size_t i = 0; i < sizeof(buffer_); ++i) {
    input[i] = static_cast<int8_t>(buffer_[i] - 128);
  }
#elif defined(BENCH_INPUT_FLOAT32)
  int8_t* input = static_cast<int8_t*>(session_.inference().engine().input(0));
  for (size_t i = 0; i < sizeof(buffer_) / sizeof(float); ++i) {
    input[i] = quantize(read_float(buffer_ + i * sizeof(float)));
  }
#else
#error "bench_settings.h names no way to read the input"
#endif
}

void Mlperf::send_results() {
  if (!has_results_) {
    error("there are no results yet");
    return;
  }
#if defined(BENCH_RESULT_NONE)
  error("results of this model's output type are not shown");
#else
  Engine& engine = session_.inference().engine();
  const int8_t* output = static_cast<const int8_t*>(engine.output(0));
  const size_t count = engine.output_bytes(0);
  TextLine results = line();
  results.text("m-results-[");
#if defined(BENCH_RESULT_SCORES)
  for (size_t i = 0; i < count; ++i) {
    results.text(i == 0 ? "" : ",").decimal(to_decimal(dequantize(output[i])), BENCH_RESULT_DECIMALS);
  }
#elif defined(BENCH_RESULT_SQUARED_ERROR)
  double sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const double difference = dequantize(output[i]) - read_float(buffer_ + i * sizeof(float));
    sum += difference * difference;
  }
  results.decimal(to_decimal(sum / static_cast<double>(count)), BENCH_RESULT_DECIMALS);
#else
#error "bench_settings.h names no results"
#endif
  results.text("]").text(kEnd).flush();
#endif
}

void Mlperf::error(const char* what) {
  line().text("e-[").text(what).put(']').text(kEnd).flush();
}

#endif  // TINYML_APP_BENCH
