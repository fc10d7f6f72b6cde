// Benchmark of any model: the host writes inputs and requests inferences, in this project's protocol or in
// MLPerf Tiny's, on the same byte stream.
#pragma once

#include "hal.h"
#include "mlperf.h"
#include "session.h"

class BenchApp {
 public:
  // Starts everything, sends the `ready` banner and MLPerf Tiny's greeting.
  void setup(Hal& hal);

  // Does pending work; sleeps if there is none.
  void step();

 private:
  Reject execute(const Command& command);

  Session session_{true};
  Mlperf mlperf_{session_};
};
