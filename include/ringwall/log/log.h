// log.h: the log of this process: lines to standard error, from any thread.
//
// A thread of shards has a lane of its own (use_lane) and never waits; all others share one, under a mutex that is held
// for a copy. One thread writes (writer.h). Before it starts and after it has ended lines are written at once, unless
// nobody reads. What cannot be written is dropped, counted, and told in the next line that gets through.
#pragma once

#include <ringwall/log/lane.h>
#include <ringwall/log/level.h>
#include <ringwall/log/line.h>

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace ringwall::log {

// Once, before there are other threads and while the process is who started it. Until then: text, from info on.
void set_up(Format format, Level level);

// Any thread; from the next line on.
void set_level(Level level);
[[nodiscard]] Level level();
// Whether such a line would be written: ask before one is made that costs something.
[[nodiscard]] bool wants(Level level);

// A line below the level is not written.
void write(const Line& line);

void debug(std::string_view event, std::string_view sentence, std::initializer_list<Field> fields = {});
void info(std::string_view event, std::string_view sentence, std::initializer_list<Field> fields = {});
void warning(std::string_view event, std::string_view sentence, std::initializer_list<Field> fields = {});
void error(std::string_view event, std::string_view sentence, std::initializer_list<Field> fields = {});

// Since the start, of all threads. Any thread.
[[nodiscard]] std::uint64_t lines_dropped();

}  // namespace ringwall::log
