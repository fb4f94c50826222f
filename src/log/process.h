// process.h: the one log of the process, behind log.h and writer.h.
//
// Never destroyed: a thread may log while the process exits.
#pragma once

#include <ringwall/log/error_stream.h>
#include <ringwall/log/lane.h>
#include <ringwall/log/line.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace ringwall::log {

class Writer;

class Process {
 public:
  [[nodiscard]] static Process& get();

  void set_format(Format format) { style_.format = format; }
  [[nodiscard]] const Style& style() const { return style_; }
  [[nodiscard]] ErrorStream& stream() { return stream_; }

  void write(const Line& line);
  void begin(Writer& writer);
  void end();
  [[nodiscard]] std::uint64_t lines_dropped();

  std::atomic<Level> level = Level::info;
  std::uint64_t dropped_told = 0;  // the writer's

 private:
  Process() { style_.is_journal = stream_.is_journal(); }
  void write_at_once(std::string_view text);

  ErrorStream stream_;  // the writer's, while there is one; else of who holds the mutex
  Style style_;         // set before there are threads
  std::mutex mutex_;    // of all below, and of the shared lane's end that is pushed to
  Writer* writer_ = nullptr;
  std::uint64_t dropped_ = 0;  // while there was no writer, and by those that have ended
};

}  // namespace ringwall::log
