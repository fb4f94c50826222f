// Any bytes as a file of recorded calls: it is a mix whose every message is JSON-RPC with the method and params of one
// of its lines, or one sentence that names the file and steers no terminal.
#include <ringwall/check.h>
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "load/mix.h"

namespace {

using ringwall::load::Mix;

void check_mistake(const std::string& message) {
  RINGWALL_CHECK(message.starts_with("fuzz:"));
  RINGWALL_CHECK(simdjson::validate_utf8(message));
  RINGWALL_CHECK(
      std::ranges::none_of(message, [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F; }));
}

void check_message(const Mix& mix, std::size_t index, std::uint64_t id) {
  static simdjson::dom::parser parser;
  std::string text;
  mix.write(index, id, text);
  RINGWALL_CHECK(text.find('\n') == std::string::npos);
  simdjson::dom::element message;
  RINGWALL_CHECK(parser.parse(text).get(message) == simdjson::SUCCESS);
  RINGWALL_CHECK(std::uint64_t(message["id"]) == id);
  RINGWALL_CHECK(!std::string_view(message["method"]).empty());
  RINGWALL_CHECK(message["params"].is_array() || message["params"].is_object());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto mix = Mix::from_lines({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!mix) {
    check_mistake(mix.error().message);
    return 0;
  }
  const auto calls = (*mix)->calls();
  RINGWALL_CHECK(!calls.empty() && calls.size() <= Mix::calls_max);
  for (std::size_t index = 0; index < calls.size(); ++index) {
    RINGWALL_CHECK(calls[index].weight > 0);
    check_message(**mix, index, index);
    check_message(**mix, index, UINT64_MAX - index);
  }
  for (const double uniform : {0.0, 0.3, 0.999999999999}) RINGWALL_CHECK((*mix)->pick(uniform) < calls.size());
  if (const auto rest = (*mix)->without_subscriptions()) RINGWALL_CHECK(!rest->subscribes());
  return 0;
}
