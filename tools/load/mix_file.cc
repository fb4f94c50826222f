// A file of recorded JSON-RPC lines. Whatever its bytes are, the outcome is a mix or one clear sentence.
#include <fcntl.h>
#include <fmt/core.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "load/json_text.h"
#include "load/mix.h"

namespace ringwall::load {

namespace {

constexpr std::size_t line_bytes_max = 1 << 20;
constexpr double weight_max = 1e9;

// What one line says. `error` begins with what was found.
Result<MixCall> read_member(MixCall call, std::string_view key, simdjson::dom::element value) {
  if (key == "method") {
    std::string_view method;
    if (value.get(method) != simdjson::SUCCESS || method.empty()) {
      return fail("\"method\" is " + excerpt(simdjson::to_string(value)) +
                  ", expected a name such as \"system_health\"");
    }
    call.method = json_escaped(method);
  } else if (key == "params") {
    if (!value.is_array() && !value.is_object()) {
      return fail("\"params\" is " + excerpt(simdjson::to_string(value)) + ", expected an array or an object");
    }
    call.params = simdjson::to_string(value);
  } else if (key == "weight") {
    if (value.get(call.weight) != simdjson::SUCCESS || !(call.weight > 0 && call.weight <= weight_max)) {
      return fail("\"weight\" is " + excerpt(simdjson::to_string(value)) + ", expected a number above 0 and up to 1e9");
    }
  } else if (key == "answer_bytes") {
    std::uint64_t bytes = 0;
    if (value.get(bytes) != simdjson::SUCCESS || bytes == 0) {
      return fail("\"answer_bytes\" is " + excerpt(simdjson::to_string(value)) + ", expected a whole number above 0");
    }
    call.answer_bytes = bytes;
  } else if (key != "id" && key != "jsonrpc") {
    return fail("found the member \"" + excerpt(key) +
                "\", expected of a call: method, params, id, jsonrpc, weight, answer_bytes");
  }
  return call;
}

Result<MixCall> read_line(simdjson::dom::parser& parser, std::string_view line) {
  if (line.size() > line_bytes_max) {
    return fail(fmt::format("the line has {} bytes, expected at most {}", line.size(), line_bytes_max));
  }
  simdjson::dom::element document;
  if (const auto error = parser.parse(line.data(), line.size()).get(document); error != simdjson::SUCCESS) {
    return fail(
        fmt::format("found {}, which is no JSON ({}), expected one JSON-RPC call a line, such as "
                    "{{\"method\":\"system_health\",\"params\":[]}}",
                    excerpt(line), simdjson::error_message(error)));
  }
  if (document.is_array())
    return fail("found a list (a batch), expected one call a line: write each on a line of its own");
  simdjson::dom::object object;
  if (document.get(object) != simdjson::SUCCESS) {
    return fail("found " + excerpt(line) + ", expected an object such as {\"method\":\"system_health\",\"params\":[]}");
  }
  MixCall call;
  call.params = "[]";
  std::set<std::string_view> seen;
  for (const auto& [key, value] : object) {
    if (!seen.insert(key).second) return fail("found \"" + excerpt(key) + "\" twice, expected each member once");
    auto read = read_member(std::move(call), key, value);
    if (!read) return read;
    call = std::move(*read);
  }
  if (call.method.empty()) return fail("no \"method\" in " + excerpt(line) + ", expected a call's name");
  return call;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view space = " \t\r";
  const std::size_t begin = line.find_first_not_of(space);
  return begin == std::string_view::npos ? "" : line.substr(begin, line.find_last_not_of(space) - begin + 1);
}

Result<std::string> read_whole(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail_errno(path, errno);
  std::string text;
  char part[64 * 1024];
  ssize_t bytes = 0;
  while ((bytes = read(file, part, sizeof part)) > 0 && text.size() <= Mix::file_bytes_max) {
    text.append(part, static_cast<std::size_t>(bytes));
  }
  const int error = errno;
  close(file);
  if (bytes < 0) return fail_errno(path, error);
  return text;
}

}  // namespace

Result<std::shared_ptr<const Mix>> Mix::from_file(const std::string& path) {
  const auto text = read_whole(path);
  if (!text) return std::unexpected(text.error());
  return from_lines(*text, path);
}

Result<std::shared_ptr<const Mix>> Mix::from_lines(std::string_view text, const std::string& name) {
  if (text.size() > file_bytes_max) {
    return fail(
        fmt::format("{}: the file is larger than {} MiB, which is the most that is read", name, file_bytes_max >> 20));
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    return fail(fmt::format("{}:1: found a byte order mark (BOM), expected UTF-8 without one", name));
  }
  simdjson::dom::parser parser;
  std::vector<MixCall> lines;
  std::map<std::tuple<std::string, std::string, std::optional<std::uint64_t>>, std::size_t> index_of;
  std::set<std::pair<std::string, std::optional<std::uint64_t>>> rows;
  std::size_t number = 0;
  std::size_t skipped = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    auto call = read_line(parser, line);
    if (!call) return fail(fmt::format("{}:{}: {}", name, number, call.error().message));
    if (ends_subscription(call->method)) {
      ++skipped;
      continue;
    }
    complete_subscription(*call);
    const auto [found, is_new] = index_of.try_emplace({call->method, call->params, call->answer_bytes}, lines.size());
    if (!is_new) {
      lines[found->second].weight += call->weight;
      continue;
    }
    rows.emplace(call->method, call->answer_bytes);
    lines.push_back(std::move(*call));
    if (lines.size() > lines_max) {
      return fail(
          fmt::format("{}:{}: more than {} different calls, which is the most that is read", name, number, lines_max));
    }
    if (rows.size() > calls_max) {
      return fail(fmt::format(
          "{}:{}: more than {} different methods (or answer_bytes of one), which is the most that is told apart", name,
          number, calls_max));
    }
  }
  if (lines.empty()) {
    return fail(
        fmt::format("{}: no call in it{}, expected one JSON-RPC call a line, such as "
                    "{{\"method\":\"system_health\",\"params\":[]}}",
                    name, skipped > 0 ? " but those that end a subscription" : ""));
  }
  return std::shared_ptr<const Mix>(new Mix(std::move(lines)));
}

}  // namespace ringwall::load
