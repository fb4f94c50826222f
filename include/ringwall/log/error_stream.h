// error_stream.h: standard error, written to without ever waiting for who reads it.
//
// Standard error is shared with others, so it is not made non-blocking: a pipe or terminal is opened once more, a
// socket is sent to with MSG_DONTWAIT, and a file does not block. Opened while the process is still who started it: as
// another user it could not be. One thread at a time.
// Source: pipe(7), proc(5) (/proc/self/fd), send(2), systemd.exec(5) ($JOURNAL_STREAM).
#pragma once

#include <cstddef>
#include <string_view>

namespace ringwall::log {

class ErrorStream {
 public:
  ErrorStream();
  ErrorStream(const ErrorStream&) = delete;
  ErrorStream& operator=(const ErrorStream&) = delete;
  ~ErrorStream();

  enum class Result : unsigned char { written, full, failed };
  // Takes off the front of `bytes` what was written; all of it: written. Full: nobody reads for now.
  [[nodiscard]] Result write(std::string_view& bytes);
  // False: it is still full after so long.
  [[nodiscard]] bool wait_for_room(int timeout_ms);

  // systemd's journal reads it.
  [[nodiscard]] bool is_journal() const { return is_journal_; }

 private:
  enum class Kind : unsigned char { file, socket };

  int descriptor_;
  bool is_own_ = false;  // opened here
  Kind kind_ = Kind::file;
  bool is_journal_ = false;
};

}  // namespace ringwall::log
