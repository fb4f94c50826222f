// bans_file.h: bans in a file, so that they hold for the process after this one too.
//
// A line a ban: its range, and its end in s of Unix time, as the clock may be another machine's start later. Read and
// written by the Interface's thread, or before that has begun.
#pragma once

#include <ringwall/admin/bans.h>
#include <ringwall/error.h>

#include <cstdint>
#include <string>

namespace ringwall::admin {

// Adds to `bans` what the file has and is not over yet. None where there is no file. The error says what was left out;
// the rest holds. `now_s` is the time of `bans`, `unix_now_s` the same moment in Unix time.
[[nodiscard]] Result<void> load_bans(const std::string& path, Bans& bans, std::uint64_t now_s,
                                     std::uint64_t unix_now_s);

// The file is the one before or this one, never a part.
[[nodiscard]] Result<void> save_bans(const std::string& path, const Bans& bans, std::uint64_t now_s,
                                     std::uint64_t unix_now_s);

}  // namespace ringwall::admin
