// writer.h: the thread that writes the log, and the lanes to it.
//
// One a process at a time, made by the main thread once privileges are dropped (a thread keeps what it was born with)
// and ended by it after the threads that use its lanes. It sleeps while there is nothing to write. Its end writes what
// has come, but waits for a reader no longer than flush_ms.
#pragma once

#include <ringwall/error.h>
#include <ringwall/log/lane.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace ringwall::log {

class Writer {
 public:
  static constexpr int flush_ms = 1'000;

  // So many lanes for threads of their own, and one that all others share. Fails when no thread can be had.
  [[nodiscard]] static Result<std::unique_ptr<Writer>> start(std::size_t lanes);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  // The calling thread, and no other, writes to this lane from here on until its end.
  void use_lane(std::size_t index);

 private:
  friend class Process;

  explicit Writer(std::size_t lanes);
  void post(Lane& lane, std::string_view line);
  void wake();
  void run();
  [[nodiscard]] bool write_batch(Lane& lane);
  [[nodiscard]] bool write_out(std::string_view text);
  void tell_dropped();
  [[nodiscard]] std::uint64_t dropped() const;  // by this one

  std::vector<std::unique_ptr<Lane>> lanes_;  // the last one is shared
  std::atomic<int> posted_ = 0;               // changes with each line, and with the stop; waited for
  std::atomic<bool> stopping_ = false;
  int patience_ms_ = flush_ms;                      // left at the end
  std::atomic<std::uint64_t> dropped_writing_ = 0;  // nobody took them at the end, or the stream is broken
  std::uint64_t dropped_before_;                    // there was a writer
  std::string text_;
  std::thread thread_;
};

}  // namespace ringwall::log
