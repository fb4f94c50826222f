// Any bytes as what a client or a node said: the line stays one line with our fields, and steers no terminal; as JSON
// it is an object whose string is what was said, where that was UTF-8.
//
// Input: the bytes.
#include <ringwall/check.h>
#include <ringwall/log/line.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace ringwall;

constexpr std::string_view ellipsis = "…";

std::string line_of(std::string_view said, log::Format format) {
  const log::Field fields[] = {{"said", said}, {"last", true}};
  std::string out;
  log::append_line(out, {.event = "said", .sentence = said, .fields = fields}, {.format = format}, log::Time{});
  RINGWALL_CHECK(out.ends_with('\n'));
  out.pop_back();
  RINGWALL_CHECK(std::ranges::none_of(out, [](unsigned char c) { return c < 0x20 || c == 0x7F; }));
  RINGWALL_CHECK(out.find("\xc2\x9b") == out.npos);
  RINGWALL_CHECK(out.find("\xe2\x80\xae") == out.npos);
  // Throws where it is not UTF-8.
  (void)nlohmann::json(out).dump();
  return out;
}

bool is_utf8(std::string_view said) {
  try {
    (void)nlohmann::json(said).dump();
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view said(reinterpret_cast<const char*>(data), size);
  const std::string text = line_of(said, log::Format::text);
  RINGWALL_CHECK(text.ends_with(" last=true"));
  const auto parsed = nlohmann::json::parse(line_of(said, log::Format::json));
  RINGWALL_CHECK(parsed.size() == 6 && parsed["last"].get<bool>());
  const auto heard = parsed["said"].get<std::string>();
  RINGWALL_CHECK(heard == parsed["message"].get<std::string>() || said.size() > log::value_bytes_max);
  if (said.size() <= log::value_bytes_max) {
    RINGWALL_CHECK((heard == said) == is_utf8(said));
  } else {
    RINGWALL_CHECK(heard.ends_with(ellipsis));
  }
  return 0;
}
