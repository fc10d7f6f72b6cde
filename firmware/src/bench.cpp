#include "tinyml_build.h"

#if defined(TINYML_APP_BENCH)

#include "bench.h"

namespace {

constexpr size_t kMicrophoneBatchSamples = 160;

}  // namespace

void BenchApp::setup(Hal& hal) {
  session_.begin(hal);
  session_.send_ready();
  mlperf_.greet();
}

void BenchApp::step() {
  const bool received = session_.receive();
  Request request;
  while (session_.next(&request)) {
    if (request.percent) {
      mlperf_.handle(request.text, request.length);
    } else {
      session_.answer(request.command, execute(request.command));
    }
  }
  int16_t samples[kMicrophoneBatchSamples];  // heard for their level alone
  if (session_.listen(samples, kMicrophoneBatchSamples) == 0 && !received) {
    session_.hal().idle();
  }
}

Reject BenchApp::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kReset:
      mlperf_.reset();
      return Reject::kNone;
    case Verb::kLed:
      session_.show(command.color, session_.hal().clock_ms());
      return Reject::kNone;
    default:
      return Reject::kCommand;  // pcm: nobody listens
  }
}

#endif  // TINYML_APP_BENCH
