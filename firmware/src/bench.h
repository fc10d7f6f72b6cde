// Any model on a bench: the host writes inputs and asks for inferences, in this project's protocol or in
// MLPerf Tiny's, on the same stream of bytes.
#pragma once

#include "hal.h"
#include "mlperf.h"
#include "session.h"

class BenchApp {
 public:
  // Starts everything, sends the `ready` banner and MLPerf Tiny's greeting.
  void setup(Hal& hal);

  // Does what is due; sleeps when nothing is.
  void step();

 private:
  Reject execute(const Command& command);

  Session session_{true};
  Mlperf mlperf_{session_};
};
