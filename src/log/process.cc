#include "process.h"

#include <ringwall/check.h>
#include <ringwall/log/log.h>
#include <ringwall/log/writer.h>

namespace ringwall::log {

namespace {

constexpr int rest_ms = 100;  // for the end of a line that has been begun

thread_local Writer* own_writer = nullptr;
thread_local Lane* own_lane = nullptr;

std::string& scratch() {
  thread_local std::string text;
  text.clear();
  return text;
}

}  // namespace

Process& Process::get() {
  static auto* const process = new Process;
  return *process;
}

void Process::write(const Line& line) {
  if (!wants(line.level)) return;
  std::string& text = scratch();
  append_line(text, line, style_, std::chrono::system_clock::now());
  if (own_lane != nullptr) return own_writer->post(*own_lane, text);
  const std::lock_guard lock(mutex_);
  if (writer_ != nullptr) return writer_->post(*writer_->lanes_.back(), text);
  write_at_once(text);
}

void Process::write_at_once(std::string_view text) {
  const std::size_t bytes = text.size();
  while (stream_.write(text) == ErrorStream::Result::full) {
    if (text.size() == bytes || !stream_.wait_for_room(rest_ms)) break;
  }
  if (!text.empty()) ++dropped_;
}

void Process::begin(Writer& writer) {
  const std::lock_guard lock(mutex_);
  RINGWALL_CHECK(writer_ == nullptr);
  writer_ = &writer;
}

// The writer's thread has ended; what others have posted since is left.
void Process::end() {
  const std::lock_guard lock(mutex_);
  RINGWALL_CHECK(writer_ != nullptr);
  std::string text;
  while (writer_->lanes_.back()->pop(text)) {
    write_at_once(text);
    text.clear();
  }
  dropped_ += writer_->dropped();
  writer_ = nullptr;
}

std::uint64_t Process::lines_dropped() {
  const std::lock_guard lock(mutex_);
  return dropped_ + (writer_ != nullptr ? writer_->dropped() : 0);
}

void Writer::use_lane(std::size_t index) {
  RINGWALL_CHECK(index + 1 < lanes_.size());
  own_writer = this;
  own_lane = lanes_[index].get();
}

void set_up(Format format, Level level) {
  Process::get().set_format(format);
  set_level(level);
}

void set_level(Level level) { Process::get().level.store(level, std::memory_order_relaxed); }

Level level() { return Process::get().level.load(std::memory_order_relaxed); }

bool wants(Level level) { return level >= log::level(); }

void write(const Line& line) { Process::get().write(line); }

std::uint64_t lines_dropped() { return Process::get().lines_dropped(); }

namespace {

void say(Level level, std::string_view event, std::string_view sentence, std::initializer_list<Field> fields) {
  write({.level = level, .event = event, .sentence = sentence, .fields = {fields.begin(), fields.size()}});
}

}  // namespace

void debug(std::string_view event, std::string_view sentence, std::initializer_list<Field> fields) {
  say(Level::debug, event, sentence, fields);
}

void info(std::string_view event, std::string_view sentence, std::initializer_list<Field> fields) {
  say(Level::info, event, sentence, fields);
}

void warning(std::string_view event, std::string_view sentence, std::initializer_list<Field> fields) {
  say(Level::warning, event, sentence, fields);
}

void error(std::string_view event, std::string_view sentence, std::initializer_list<Field> fields) {
  say(Level::error, event, sentence, fields);
}

}  // namespace ringwall::log
