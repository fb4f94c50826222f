// interrupter.h: SIGINT and SIGTERM end a run in order: the first makes an eventfd readable, which run() waits on; a
// second one ends the process at once, as it would have without this.
//
// One for the process, made before there are threads. Source: signal-safety(7), eventfd(2).
#pragma once

#include <ringwall/error.h>

namespace ringwall::load {

class Interrupter {
 public:
  [[nodiscard]] static Result<Interrupter> install();

  [[nodiscard]] int event() const { return event_; }
  [[nodiscard]] int signal() const;  // that came; 0: none

 private:
  explicit Interrupter(int event) : event_(event) {}
  int event_;  // the process's, for as long as it runs
};

}  // namespace ringwall::load
