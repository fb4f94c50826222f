// What may come where a PROXY header is due. What must hold:
// - the answer to a prefix is "more" or the answer to the whole, and what follows a header does not change it;
// - no header is longer than its bound, and so long an input is never answered with "more";
// - the address that was read, written anew in either version, reads the same.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <ringwall/check.h>
#include <ringwall/http/proxy_protocol.h>

namespace {

using namespace ringwall::http;

struct Answer {
  std::expected<std::size_t, std::string_view> parsed;
  std::optional<ProxySource> source;

  friend bool operator==(const Answer&, const Answer&) = default;
};

// A copy of its own size, so that a read beyond the end is seen.
Answer answer_to(std::string_view bytes) {
  const std::string copy(bytes);
  std::optional<ProxySource> source;
  const auto parsed = parse_proxy_header(copy, source);
  return {parsed, source};
}

void check_prefixes(std::string_view input, const Answer& whole) {
  const Answer more{0, std::nullopt};
  // Nothing in the middle of a long block is looked at before its end.
  const std::size_t dense = std::min<std::size_t>(input.size(), 300);
  for (std::size_t bytes = 0; bytes < dense; ++bytes) {
    const Answer part = answer_to(input.substr(0, bytes));
    RINGWALL_CHECK(part == more || part == whole);
    if (whole.parsed && bytes < *whole.parsed) RINGWALL_CHECK(part == more);
  }
  if (whole.parsed && *whole.parsed > 0) {
    RINGWALL_CHECK(answer_to(input.substr(0, *whole.parsed)) == whole);
    RINGWALL_CHECK(answer_to(input.substr(0, *whole.parsed - 1)) == more);
  }
}

void check_written_anew(const ProxySource& source) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  RINGWALL_CHECK(inet_ntop(AF_INET6, source.address.data(), text.data(), text.size()) != nullptr);
  const std::string line =
      "PROXY TCP6 " + std::string(text.data()) + " ::1 " + std::to_string(source.port) + " 443\r\n";
  RINGWALL_CHECK((answer_to(line) == Answer{line.size(), source}));

  std::string binary("\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24", 16);
  binary.append(reinterpret_cast<const char*>(source.address.data()), source.address.size()).append(16, '\0');
  binary += static_cast<char>(source.port >> 8);
  binary += static_cast<char>(source.port & 255);
  binary.append("\x01\xbb");
  RINGWALL_CHECK((answer_to(binary) == Answer{binary.size(), source}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Answer whole = answer_to(input);
  check_prefixes(input, whole);
  RINGWALL_CHECK(!whole.source || (whole.parsed && *whole.parsed > 0));
  if (!whole.parsed) return 0;
  RINGWALL_CHECK(*whole.parsed <= std::min(size, proxy_header_bytes_max));
  if (*whole.parsed == 0) RINGWALL_CHECK(size < proxy_header_bytes_max);
  if (*whole.parsed > 0) RINGWALL_CHECK(answer_to(std::string(input) + "PROXY UNKNOWN\r\n") == whole);
  if (whole.source) check_written_anew(*whole.source);
  return 0;
}
