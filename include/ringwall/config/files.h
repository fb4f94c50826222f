// files.h: what the settings name outside of themselves.
//
// Looks with stat(2), access(2), open(2) and the account database; reads only the configuration. Blocking; not on a
// shard.
#pragma once

#include <expected>
#include <optional>
#include <string>

namespace ringwall::config {

// The whole of a regular file of at most config_bytes_max; or what was found instead ("no such file").
[[nodiscard]] std::expected<std::string, std::string> read_config_file(const std::string& path);

// Why this process cannot read it as a file or enter it as a folder; nothing if it can, which only open(2) tells: a
// process that is confined (landlock(7)) may be refused what permissions allow.
[[nodiscard]] std::optional<std::string> unreadable_file(const std::string& path);
[[nodiscard]] std::optional<std::string> unreadable_folder(const std::string& path);

[[nodiscard]] bool user_exists(const std::string& name);
[[nodiscard]] bool group_exists(const std::string& name);

}  // namespace ringwall::config
