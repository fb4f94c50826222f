#include <ringwall/log/writer.h>

#include "process.h"

#include <system_error>

namespace ringwall::log {

namespace {

constexpr std::size_t batch_bytes = 2 * 1024;  // and a line: a pipe takes as many at once
constexpr int look_ms = 50;                    // between two looks whether the process ends

}  // namespace

Result<std::unique_ptr<Writer>> Writer::start(std::size_t lanes) {
  std::unique_ptr<Writer> writer(new Writer(lanes));
  try {
    writer->thread_ = std::thread(&Writer::run, writer.get());
  } catch (const std::system_error& refused) {
    return fail_no_thread(refused.code().value());
  }
  Process::get().begin(*writer);
  return writer;
}

Writer::Writer(std::size_t lanes) : dropped_before_(Process::get().lines_dropped()) {
  for (std::size_t index = 0; index <= lanes; ++index) lanes_.push_back(std::make_unique<Lane>());
}

Writer::~Writer() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  wake();
  thread_.join();
  Process::get().end();
}

void Writer::post(Lane& lane, std::string_view line) {
  lane.push(line);
  wake();
}

void Writer::wake() {
  posted_.fetch_add(1, std::memory_order_release);
  posted_.notify_one();
}

void Writer::run() {
  for (;;) {
    const int seen = posted_.load(std::memory_order_acquire);
    const bool is_last = stopping_.load(std::memory_order_acquire);
    tell_dropped();
    bool found = false;
    for (const auto& lane : lanes_) found = write_batch(*lane) || found;
    if (found) continue;
    if (is_last) return tell_dropped();
    posted_.wait(seen, std::memory_order_acquire);
  }
}

// Some of a lane, so that no lane keeps the others waiting. False: there was nothing.
bool Writer::write_batch(Lane& lane) {
  std::uint64_t lines = 0;
  text_.clear();
  while (text_.size() < batch_bytes && lane.pop(text_)) ++lines;
  if (lines == 0) return false;
  if (!write_out(text_)) dropped_writing_.fetch_add(lines, std::memory_order_relaxed);
  return true;
}

// False: nobody took it, at the end, or nobody ever will.
bool Writer::write_out(std::string_view text) {
  ErrorStream& stream = Process::get().stream();
  for (;;) {
    switch (stream.write(text)) {
      case ErrorStream::Result::written:
        return true;
      case ErrorStream::Result::failed:
        return false;
      case ErrorStream::Result::full:
        break;
    }
    const bool is_stopping = stopping_.load(std::memory_order_acquire);
    if (is_stopping && patience_ms_ <= 0) return false;
    if (!stream.wait_for_room(look_ms) && is_stopping) patience_ms_ -= look_ms;
  }
}

void Writer::tell_dropped() {
  const std::uint64_t dropped = dropped_before_ + this->dropped();
  std::uint64_t& told = Process::get().dropped_told;
  if (dropped == told) return;
  const Field lines{.name = "lines", .value = dropped - told};
  text_.clear();
  append_line(text_,
              {.level = Level::warning,
               .event = "log_dropped",
               .sentence = "lines of the log were dropped: standard error was not read",
               .fields = {&lines, 1}},
              Process::get().style(), std::chrono::system_clock::now());
  if (write_out(text_)) told = dropped;
}

std::uint64_t Writer::dropped() const {
  std::uint64_t dropped = dropped_writing_.load(std::memory_order_relaxed);
  for (const auto& lane : lanes_) dropped += lane->dropped();
  return dropped;
}

}  // namespace ringwall::log
