// live.h: what is seen while a run goes on, on standard error: at a terminal one line that is written over, elsewhere
// one line every five seconds. One thread.
#pragma once

#include <string>

#include "load/run.h"

namespace ringwall::load {

// "measuring  12,345/s  p50 1.25 ms  p99 8.31 ms  errors 0  8 s left"
[[nodiscard]] std::string live_line(const Progress& progress);

class Live {
 public:
  // Standard error is looked at once.
  explicit Live(bool is_quiet);
  ~Live() { clear(); }
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  // Stands before each line: the step of a search.
  void set_prefix(std::string prefix) { prefix_ = std::move(prefix); }
  void tell(const Progress& progress);
  // Takes the line away, so that something else can be written.
  void clear();

 private:
  bool is_quiet_;
  bool is_terminal_;
  bool has_line_ = false;
  int told_end_ = 0;      // not at a terminal: which sentence of the end; 0: none
  double told_at_s_ = 0;  // of the run; not at a terminal
  std::string prefix_;
};

// Of the terminal that a stream is, else 0.
[[nodiscard]] unsigned terminal_columns(int stream);

}  // namespace ringwall::load
