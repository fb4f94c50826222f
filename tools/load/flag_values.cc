#include "load/flag_values.h"

#include <fmt/core.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include <ringwall/config/units.h>
#include <ringwall/http/field.h>
#include <ringwall/tls/client_context.h>

#include "load/json_text.h"
#include "load/mix.h"
#include "load/quantity.h"

namespace ringwall::load {

namespace {

constexpr std::uint64_t payload_bytes_max = 64 << 20;
constexpr double rate_max = 100e6;

std::optional<double> positive_rate(std::string_view text) {
  const auto rate = parse_rate(text);
  return rate && *rate > 0 && *rate <= rate_max ? rate : std::nullopt;
}

}  // namespace

Error wrong(std::string_view option, std::string_view found, std::string_view right) {
  return Error{fmt::format("{}: found \"{}\", expected {}", option, excerpt(found), right)};
}

Result<std::uint64_t> Reader::read_count(std::string_view option, const std::string& text, std::uint64_t max) {
  const auto read = parse_count(text);
  if (read && *read >= 1 && *read <= max) return *read;
  return std::unexpected(
      wrong(option, text, fmt::format("a whole number from 1 to {}, such as 50 or 2k", count_text(max))));
}

void Reader::duration(std::string_view option, const Flags::Text& text, std::uint64_t min_ns, std::uint64_t& value) {
  if (!text) return;
  const auto read = parse_duration_ns(*text);
  if (read && *read >= min_ns) {
    value = *read;
    return;
  }
  const std::string least = min_ns > 0 ? "from " + duration_text(min_ns) + " " : "";
  refuse(wrong(
      option, *text,
      fmt::format("a time with its unit (us, ms, s, m), {}up to 10080m, which is a week: such as 50ms or 10s", least)));
}

Result<std::size_t> Reader::read_name(std::string_view option, const std::string& text,
                                      std::span<const std::string_view> names) {
  const auto found = std::ranges::find(names, text);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string all;
  for (const std::string_view each : names) all += fmt::format("{}{}", all.empty() ? "" : ", ", each);
  return std::unexpected(wrong(option, text, "one of " + all));
}

Result<std::optional<Rate>> read_rate(const std::string& text) {
  const std::size_t dots = text.find("..");
  const auto from = positive_rate(std::string_view(text).substr(0, dots));
  const auto to = dots == std::string::npos ? from : positive_rate(std::string_view(text).substr(dots + 2));
  if (!from || !to)
    return std::unexpected(wrong("--rate", text, "calls a second such as 5000, 5k or 1k..20k, at most 100M"));
  return Rate{*from, *to};
}

Result<double> read_connect_rate(const std::string& text) {
  const auto rate = positive_rate(text);
  if (!rate)
    return std::unexpected(wrong("--connect-rate", text, "connections a second such as 500 or 2k, at most 100M"));
  return *rate;
}

Result<std::optional<double>> read_error_share(const std::string& text) {
  const auto share = parse_share(text);
  if (!share) return std::unexpected(wrong("--fail-errors", text, "a share such as 0.1% or 0%"));
  return share;
}

Result<std::string> read_method(const std::string& text) {
  if (text.empty() || !simdjson::validate_utf8(text)) {
    return std::unexpected(wrong("--call or --subscribe", text, "a method such as system_health"));
  }
  return json_escaped(text);
}

Result<std::string> read_params(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  const bool is_json = parser.parse(text).get(element) == simdjson::SUCCESS;
  if (!is_json || (!element.is_array() && !element.is_object())) {
    return std::unexpected(wrong("--params", text, R"(JSON, an array or an object, such as '[0]' or '{"key": 1}')"));
  }
  return simdjson::to_string(element);
}

Result<std::shared_ptr<const Mix>> read_mix(const std::string& text) {
  if (auto built_in = Mix::built_in(text)) return built_in;
  struct stat status{};
  if (stat(text.c_str(), &status) != 0) {
    return std::unexpected(
        wrong("--mix", text,
              fmt::format("public, apps, wallet, indexer, or a file of recorded calls ({})", errno_text(errno))));
  }
  if (S_ISDIR(status.st_mode)) return std::unexpected(wrong("--mix", text, "a file, not a directory"));
  // A pipe that nobody writes to would be waited for without an end.
  if (!S_ISREG(status.st_mode)) return std::unexpected(wrong("--mix", text, "a file, not a pipe or a device"));
  return Mix::from_file(text);
}

Result<std::shared_ptr<const Mix>> read_call(const Flags& flags) {
  MixCall call;
  call.params = "[]";
  Reader reader;
  reader.take(flags.call, read_method, call.method);
  reader.take(flags.params, read_params, call.params);
  if (flags.payload) {
    const auto bytes = config::parse_number(*flags.payload, config::Unit::bytes);
    if (!bytes || *bytes > payload_bytes_max)
      return std::unexpected(wrong("--payload", *flags.payload, "bytes such as 4096 or 4KiB, at most 64MiB"));
    call.params = "[\"" + std::string(*bytes, 'x') + "\"]";
  }
  std::uint64_t answer_bytes = 0;
  reader.count("--answer-bytes", flags.answer_bytes, std::uint64_t{1} << 30, answer_bytes);
  if (answer_bytes > 0) call.answer_bytes = answer_bytes;
  if (!reader.is_good()) return fail(reader.error());
  return Mix::of_one(std::move(call));
}

Result<std::pair<std::string, std::string>> read_header(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const bool has_value = colon != std::string::npos;
  std::string value = has_value ? text.substr(colon + 1) : "";
  value.erase(0, std::min(value.find_first_not_of(" \t"), value.size()));
  if (!has_value || !http::is_token(name) || !std::ranges::all_of(value, [](char byte) {
        return byte == '\t' || (static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7F);
      })) {
    return std::unexpected(wrong("--header", text, "'Name: value' such as 'Origin: https://polkadot.js.org'"));
  }
  constexpr std::array<std::string_view, 10> ours = {"Host",
                                                     "Connection",
                                                     "Upgrade",
                                                     "Content-Length",
                                                     "Content-Type",
                                                     "Transfer-Encoding",
                                                     "Sec-WebSocket-Key",
                                                     "Sec-WebSocket-Version",
                                                     "Sec-WebSocket-Extensions",
                                                     "Sec-WebSocket-Protocol"};
  if (std::ranges::any_of(ours, [&](std::string_view own) { return http::equals_ignoring_case(own, name); })) {
    return std::unexpected(
        wrong("--header", name, "another name: this one the program writes itself (a subprotocol by --subprotocol)"));
  }
  return std::pair(name, value);
}

Result<std::string> read_subprotocol(const std::string& text) {
  if (!http::is_token(text)) return std::unexpected(wrong("--subprotocol", text, "a name without spaces or commas"));
  return text;
}

Result<std::string> read_ca(const std::string& path) {
  if (access(path.c_str(), R_OK) != 0) {
    return std::unexpected(wrong("--ca", path, fmt::format("a PEM file that can be read ({})", errno_text(errno))));
  }
  const auto context = tls::ClientContext::load({.ca_file = path});
  if (context) return path;
  return std::unexpected(
      wrong("--ca", path, fmt::format("a PEM file with certificates ({})", context.error().message)));
}

Result<int> read_pid(const std::string& text) {
  const auto pid = parse_count(text);
  if (!pid || *pid == 0 || *pid > INT32_MAX) return std::unexpected(wrong("--pid", text, "a process id such as 1234"));
  if (access(fmt::format("/proc/{}/stat", *pid).c_str(), R_OK) != 0) {
    return std::unexpected(wrong("--pid", text, "the id of a process that runs (pidof NAME)"));
  }
  return static_cast<int>(*pid);
}

Result<std::string> read_output(std::string_view option, const std::string& path) {
  if (path == "-") return std::unexpected(wrong(option, path, "the name of a file: only --json prints, as --json -"));
  struct stat status{};
  const bool is_there = stat(path.c_str(), &status) == 0;
  if (path.empty() || (is_there && S_ISDIR(status.st_mode)))
    return std::unexpected(wrong(option, path, "the name of a file"));
  const std::string folder = std::filesystem::path(path).parent_path();
  if (access(is_there ? path.c_str() : folder.empty() ? "." : folder.c_str(), W_OK) != 0) {
    return std::unexpected(wrong(option, path, fmt::format("a file that can be written ({})", errno_text(errno))));
  }
  return path;
}

}  // namespace ringwall::load
