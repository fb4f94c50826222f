#include <ringwall/http/proxy_protocol.h>

#include <string>
#include <string_view>
#include <vector>

#include "unit/catch.h"

namespace ringwall::http {
namespace {

constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view ipv4_block("\xcb\x00\x71\x07\xc0\x00\x02\x01\xdd\x05\x01\xbb", 12);
constexpr std::string_view ipv6_block(
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
    "\xdd\x05\x01\xbb",
    36);
// What follows a header in its stream: a ClientHello, and what looks like one more header.
constexpr std::string_view following[] = {"", "\x16\x03\x01", "PROXY TCP4 192.0.2.66 192.0.2.1 1 2\r\n", "\r\n\r\n",
                                          "G"};

struct Answer {
  std::size_t bytes = 0;
  std::string_view wrong;
  std::optional<ProxySource> source;

  friend bool operator==(const Answer&, const Answer&) = default;
};

// A copy of its own size, so that a sanitizer sees a read beyond the end.
Answer answer_to(std::string_view bytes) {
  const std::vector<char> copy(bytes.begin(), bytes.end());
  Answer answer;
  answer.source = ProxySource{{1, 2, 3}, 4};
  const auto parsed = parse_proxy_header({copy.data(), copy.size()}, answer.source);
  if (parsed) answer.bytes = *parsed;
  if (!parsed) answer.wrong = parsed.error();
  return answer;
}

// Each part of `text` is answered with "more", or as the whole is.
Answer whole_answer(std::string_view text) {
  const Answer whole = answer_to(text);
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    const Answer part = answer_to(text.substr(0, bytes));
    const bool more = part == Answer{};
    const bool same = part == whole && (whole.bytes == 0 || whole.bytes <= bytes);
    if (more || same) continue;
    CAPTURE(bytes, text);
    FAIL("a part of the header was answered otherwise than the whole");
  }
  return whole;
}

std::string address_text(const ProxySource& source) {
  std::string text;
  for (const std::uint8_t byte : source.address) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text + " " + std::to_string(source.port);
}

// The source of `header`, "none" where it names none, or what is wrong with it; whatever follows it.
std::string source_of(const std::string& header) {
  const Answer alone = whole_answer(header);
  if (!alone.wrong.empty()) return std::string(alone.wrong);
  if (alone.bytes == 0) return "more";
  CHECK(alone.bytes == header.size());
  for (const std::string_view rest : following) CHECK(whole_answer(header + std::string(rest)) == alone);
  return alone.source ? address_text(*alone.source) : "none";
}

std::string line(const std::string& text) { return source_of("PROXY " + text + "\r\n"); }

std::string binary(unsigned version_and_command, unsigned family_and_protocol, std::string_view block) {
  std::string header(signature);
  header += static_cast<char>(version_and_command);
  header += static_cast<char>(family_and_protocol);
  header += static_cast<char>(block.size() >> 8);
  header += static_cast<char>(block.size() & 255);
  return header.append(block);
}

std::string tlv(unsigned type, std::string_view value) {
  std::string text(1, static_cast<char>(type));
  text += static_cast<char>(value.size() >> 8);
  text += static_cast<char>(value.size() & 255);
  return text.append(value);
}

constexpr std::string_view not_ours = "there is no PROXY header";
constexpr std::string_view bad_address = "an address in the PROXY line is not of its family";
constexpr std::string_view bad_port = "a port in the PROXY line is not a number up to 65535";
constexpr std::string_view bad_words = "the PROXY line is not two addresses and two ports";
constexpr std::string_view bad_protocol = "the PROXY line is neither TCP4, TCP6 nor UNKNOWN";

TEST_CASE("a PROXY line names the client's address and port") {
  CHECK(line("TCP4 203.0.113.7 192.0.2.1 56581 443") == "00000000000000000000ffffcb007107 56581");
  CHECK(line("TCP4 255.255.255.255 0.0.0.0 65535 0") == "00000000000000000000ffffffffffff 65535");
  CHECK(line("TCP6 2001:db8::7 2001:db8::1 56581 443") == "20010db8000000000000000000000007 56581");
  CHECK(line("TCP6 2001:0DB8:0:0:0:0:0:7 ::1 0 65535") == "20010db8000000000000000000000007 0");
}

TEST_CASE("IPv4 mapped into IPv6 is the same address in a PROXY line") {
  CHECK(line("TCP6 ::ffff:203.0.113.7 ::1 1 2") == line("TCP4 203.0.113.7 192.0.2.1 1 2"));
}

TEST_CASE("a PROXY line of UNKNOWN names nobody, whatever it says") {
  CHECK(line("UNKNOWN") == "none");
  CHECK(line("UNKNOWN ") == "none");
  CHECK(line("UNKNOWN 203.0.113.7 192.0.2.1 1 2") == "none");
  CHECK(line("UNKNOWN TCP4 no matter  what") == "none");
  CHECK(line("UNKNOWN " + std::string(107 - 2 - 14, 'f')) == "none");
  CHECK(line("UNKNOWN " + std::string(107 - 2 - 14 + 1, 'f')) == "the PROXY line is longer than 107 bytes");
}

TEST_CASE("a PROXY line with any other spelling is refused") {
  CHECK(line("UNKNOWNS") == bad_protocol);
  CHECK(line("unknown") == bad_protocol);
  CHECK(line("tcp4 203.0.113.7 192.0.2.1 1 2") == bad_protocol);
  CHECK(line("UDP4 203.0.113.7 192.0.2.1 1 2") == bad_protocol);
  CHECK(line("TCP5 203.0.113.7 192.0.2.1 1 2") == bad_protocol);
  CHECK(line(" TCP4 203.0.113.7 192.0.2.1 1 2") == bad_protocol);
  CHECK(line("") == bad_protocol);
  CHECK(line("TCP4") == bad_words);
  CHECK(line("TCP4 203.0.113.7 192.0.2.1 1") == bad_words);
  CHECK(line("TCP4 203.0.113.7 192.0.2.1 1 2 3") == bad_words);
  CHECK(line("TCP4 203.0.113.7 192.0.2.1 1 2 ") == bad_words);
  CHECK(line("TCP4 203.0.113.7  192.0.2.1 1 2") == bad_words);
  CHECK(line("TCP4  203.0.113.7 192.0.2.1 1") == bad_address);
}

TEST_CASE("an address of a PROXY line is of its family and written in one way") {
  for (const char* address : {"2001:db8::7", "::ffff:203.0.113.7", "203.0.113", "203.0.113.256", "203.0.113.07", "1",
                              "0xcb.0.113.7", "203.0.113.7.", "+3.0.113.7", "localhost"}) {
    INFO(address);
    CHECK(line("TCP4 " + std::string(address) + " 192.0.2.1 1 2") == bad_address);
    CHECK(line("TCP4 192.0.2.1 " + std::string(address) + " 1 2") == bad_address);
  }
  for (const char* address : {"203.0.113.7", "2001:db8::7::", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "fe80::1%lo",
                              "[::1]", "12345::", "g::", "::1/64", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffff"}) {
    INFO(address);
    CHECK(line("TCP6 " + std::string(address) + " ::1 1 2") == bad_address);
    CHECK(line("TCP6 ::1 " + std::string(address) + " 1 2") == bad_address);
  }
}

TEST_CASE("a port of a PROXY line is a number up to 65535 without leading zeros") {
  for (const char* port : {"65536", "99999", "100000", "00", "080", "-1", "+1", "1a", "0x1"}) {
    INFO(port);
    CHECK(line("TCP4 203.0.113.7 192.0.2.1 " + std::string(port) + " 2") == bad_port);
    CHECK(line("TCP4 203.0.113.7 192.0.2.1 1 " + std::string(port)) == bad_port);
  }
  CHECK(line("TCP4 203.0.113.7 192.0.2.1  1") == bad_port);
}

TEST_CASE("a PROXY line ends with CRLF and holds printable ASCII only") {
  const std::string text = "PROXY TCP4 203.0.113.7 192.0.2.1 1 2";
  CHECK(source_of(text + "\n") == "the PROXY line holds what is not printable ASCII");
  CHECK(source_of(text + "\r \n") == "the PROXY line ends with CR and no LF");
  CHECK(source_of(text + "\r\r\n") == "the PROXY line ends with CR and no LF");
  CHECK(source_of(text) == "more");
  CHECK(source_of(text + "\r") == "more");
  for (const char c : {'\0', '\t', '\n', '\x7f', '\x80', '\xff'}) {
    INFO(static_cast<int>(c));
    CHECK(line("UNKNOWN " + std::string(1, c)) == "the PROXY line holds what is not printable ASCII");
  }
  CHECK(source_of("PROXY " + std::string(99, 'x')) == "more");
  CHECK(source_of("PROXY " + std::string(99, 'x') + "\r") == "more");
  CHECK(source_of("PROXY " + std::string(100, 'x')) == "the PROXY line is longer than 107 bytes");
  CHECK(source_of("PROXY " + std::string(100'000, 'x')) == "the PROXY line is longer than 107 bytes");
}

TEST_CASE("a binary PROXY header names the client's address and port") {
  CHECK(source_of(binary(0x21, 0x11, ipv4_block)) == "00000000000000000000ffffcb007107 56581");
  CHECK(source_of(binary(0x21, 0x21, ipv6_block)) == "20010db8000000000000000000000007 56581");
}

TEST_CASE("a binary PROXY header of LOCAL or of no address of TCP names nobody") {
  CHECK(source_of(binary(0x20, 0x00, "")) == "none");
  CHECK(source_of(binary(0x20, 0x11, ipv4_block)) == "none");
  CHECK(source_of(binary(0x20, 0xff, "junk")) == "none");
  CHECK(source_of(binary(0x21, 0x00, "")) == "none");
  CHECK(source_of(binary(0x21, 0x00, "junk")) == "none");
  CHECK(source_of(binary(0x21, 0x12, ipv4_block)) == "none");
  CHECK(source_of(binary(0x21, 0x22, ipv6_block)) == "none");
  CHECK(source_of(binary(0x21, 0x31, std::string(216, 'u'))) == "none");
  CHECK(source_of(binary(0x21, 0x32, std::string(216, 'u'))) == "none");
}

TEST_CASE("a binary PROXY header of another version, command, family or protocol is refused") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    INFO(byte);
    const bool right = byte == 0x20 || byte == 0x21;
    CHECK((whole_answer(binary(byte, 0x11, ipv4_block)).bytes > 0) == right);
  }
  const std::string block(216, '\0');  // as TLVs: of type 0, and empty
  for (unsigned byte = 0; byte < 256; ++byte) {
    INFO(byte);
    const bool right = byte == 0 || (byte >> 4 >= 1 && byte >> 4 <= 3 && ((byte & 15) == 1 || (byte & 15) == 2));
    CHECK((whole_answer(binary(0x21, byte, block)).bytes > 0) == right);
  }
}

TEST_CASE("a binary PROXY header too short for its addresses is refused") {
  constexpr std::string_view too_short = "the PROXY header is too short for its addresses";
  CHECK(source_of(binary(0x21, 0x11, "")) == too_short);
  CHECK(source_of(binary(0x21, 0x11, ipv4_block.substr(0, 11))) == too_short);
  CHECK(source_of(binary(0x21, 0x21, ipv6_block.substr(0, 35))) == too_short);
  CHECK(source_of(binary(0x21, 0x31, std::string(215, 'u'))) == too_short);
}

TEST_CASE("TLVs after the addresses are skipped if they are whole") {
  const std::string v4(ipv4_block);
  const std::string plain = source_of(binary(0x21, 0x11, v4));
  const std::string wrong_checksum = tlv(0x03, "\x01\x02\x03\x04");
  const std::string authority = tlv(0x02, "rpc.example.com");
  CHECK(source_of(binary(0x21, 0x11, v4 + tlv(0x04, ""))) == plain);
  CHECK(source_of(binary(0x21, 0x11, v4 + authority + wrong_checksum + tlv(0xee, std::string(300, 'x')))) == plain);
  CHECK(source_of(binary(0x21, 0x21, std::string(ipv6_block) + authority)).ends_with(" 56581"));

  constexpr std::string_view cut = "the PROXY header ends in the middle of a TLV";
  CHECK(source_of(binary(0x21, 0x11, v4 + "\x04")) == cut);
  CHECK(source_of(binary(0x21, 0x11, v4 + std::string("\x04\0", 2))) == cut);
  CHECK(source_of(binary(0x21, 0x11, v4 + std::string("\x04\0\x01", 3))) == cut);
  CHECK(source_of(binary(0x21, 0x11, v4 + authority.substr(0, authority.size() - 1))) == cut);
  CHECK(source_of(binary(0x21, 0x11, v4 + authority + "\x02")) == cut);
  CHECK(source_of(binary(0x21, 0x12, v4 + "\x04")) == cut);
}

TEST_CASE("a binary PROXY header has 4096 bytes at most") {
  const std::string largest = std::string(ipv4_block) + tlv(0x04, std::string(4096 - 16 - 12 - 3, 'x'));
  CHECK(source_of(binary(0x21, 0x11, largest)).ends_with(" 56581"));
  const std::string larger = std::string(ipv4_block) + tlv(0x04, std::string(4096 - 16 - 12 - 3 + 1, 'x'));
  constexpr std::string_view too_long = "the PROXY header is longer than 4096 bytes";
  CHECK(source_of(binary(0x21, 0x11, larger)) == too_long);
  CHECK(source_of(binary(0x20, 0x00, larger)) == too_long);
  CHECK(source_of(binary(0x20, 0x00, larger).substr(0, 16)) == too_long);
}

TEST_CASE("what begins as anything else has no PROXY header, and that is known at the first wrong byte") {
  CHECK(source_of("") == "more");
  for (const char* text : {"GET / HTTP/1.1\r\n", "\x16\x03\x01", "PROXX", "PROXY\tTCP4", "PROXY\r\n", "proxy TCP4", " ",
                           "\n", "\r\r", "\r\nPROXY TCP4", "\r\n\r\n\r\nQUIT\n", "PRI * HTTP/2.0\r\n"}) {
    INFO(text);
    CHECK(source_of(text) == not_ours);
  }
  for (std::size_t at = 0; at < signature.size(); ++at) {
    std::string text(signature.substr(0, at));
    text += at == 0 ? 'x' : static_cast<char>(signature[at] ^ 1);
    INFO(at);
    CHECK(source_of(text) == not_ours);
  }
}

}  // namespace
}  // namespace ringwall::http
