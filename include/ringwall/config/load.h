// load.h: from what the operator wrote to a Config, or to every problem at once.
//
// Runs before the shards do, and at a reload beside them; blocks. Command line goes over environment, environment over
// file, file over the defaults in config.h. Reads the named file, and opens the certificates and webroots that it
// names, to see whether that is possible; nothing else.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ringwall/config/config.h>
#include <ringwall/config/problem.h>

namespace ringwall::config {

inline constexpr std::size_t config_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t problems_max = 100;  // Told of; what comes after is counted in a last one.

// One field given as text, by a flag, by --set or by a variable.
struct Setting {
  std::string place;  // How a problem names it: "--listen 0.0.0.0:443".
  std::string field;  // "listener[0].address"; without an index the first is meant. An index may be one past the last.
  std::string value;  // Lists are separated by commas.
};

// What is wrong with a certificate: the field whose file it is ("cert", "key" or "ocsp"), and a problem's two sides.
struct CertificateProblem {
  std::string field;
  std::string found;
  std::string expected;
};

// What is wrong with a value that is well-formed by itself: a problem's two sides.
struct ValueProblem {
  std::string found;
  std::string expected;
};

struct Sources {
  std::string file{};  // Empty: none. Read unless `text` has what is in it.
  std::optional<std::string> text{};
  std::vector<std::pair<std::string, std::string>> environment{};  // Name and value; what is not RINGWALL_… is skipped.
  std::vector<Setting> command_line{};                             // In order; the last one wins.
  bool check_files = true;                                         // Whether the named certificates must be readable.
  // What is wrong with a certificate whose files can be read; without it they are not read.
  std::function<std::optional<CertificateProblem>(const Certificate&)> judge_certificate{};
  // What keeps this machine's kernel from tls.offload = "kernel"; without it the kernel is not asked.
  std::function<std::optional<ValueProblem>()> judge_kernel_tls{};
};

// Whether any of these variables is a setting: a container may be configured by them alone.
[[nodiscard]] bool has_settings(const std::vector<std::pair<std::string, std::string>>& environment);

// Either a Config that keeps every promise of config.h, or at least one problem.
[[nodiscard]] std::expected<Config, std::vector<Problem>> load(const Sources& sources);

}  // namespace ringwall::config
