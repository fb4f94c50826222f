// captured.h: what a piece of code writes to a standard stream.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>

#include "unit/catch.h"

namespace ringwall::server {

// From here to the end of the scope, `stream` goes into a file of its own.
class Captured {
 public:
  explicit Captured(std::FILE* stream) : stream_(stream) {
    std::fflush(stream_);
    saved_ = ::dup(::fileno(stream_));
    REQUIRE(saved_ >= 0);
    REQUIRE(::dup2(::fileno(file_), ::fileno(stream_)) >= 0);
  }
  ~Captured() {
    std::fflush(stream_);
    ::dup2(saved_, ::fileno(stream_));
    ::close(saved_);
    std::fclose(file_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  [[nodiscard]] std::string text() {
    std::fflush(stream_);
    std::string text;
    char bytes[4096];
    off_t at = 0;
    for (ssize_t got = 0; (got = ::pread(::fileno(file_), bytes, sizeof bytes, at)) > 0; at += got) {
      text.append(bytes, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  std::FILE* stream_;
  std::FILE* file_ = std::tmpfile();
  int saved_ = -1;
};

}  // namespace ringwall::server
