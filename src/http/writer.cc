#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <utility>

#include <ringwall/check.h>
#include <ringwall/http/writer.h>

#include "target.h"

namespace ringwall::http {
namespace {

bool is_target_text(std::string_view text) { return std::ranges::all_of(text, is_target_char); }

// As many digits as the largest std::uint64_t, in decimal or hexadecimal.
using Digits = std::array<char, 20>;

std::string_view to_digits(std::uint64_t number, int base, Digits& digits) {
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  return {digits.data(), static_cast<std::size_t>(result.ptr - digits.data())};
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

// The body in two parts, so that a static sentence can end in a newline.
std::expected<std::size_t, WriteFault> write_whole(std::span<char> out, const SimpleResponse& response,
                                                   std::string_view body_end) {
  HeadWriter writer(out);
  writer.status_line(response.status);
  const bool may_have_body = !has_no_body(response.status);
  if (may_have_body) {
    if (!response.content_type.empty()) writer.field("Content-Type", response.content_type);
    writer.field("Content-Length", response.body.size() + body_end.size());
  }
  if (!response.date.empty()) writer.field("Date", response.date);
  for (const Header& field : response.extra) writer.field(field.name, field.value);
  writer.field("Connection", response.keep_alive ? "keep-alive" : "close");
  const auto head = writer.end();
  if (!head || !may_have_body || response.to_head) return head;
  const std::size_t body_bytes = response.body.size() + body_end.size();
  if (body_bytes > out.size() - *head) return std::unexpected(WriteFault::too_long);
  char* const body = out.data() + *head;
  std::ranges::copy(body_end, std::ranges::copy(response.body, body).out);
  return *head + body_bytes;
}

}  // namespace

void HeadWriter::put(std::string_view text) {
  if (text.size() > out_.size() - used_) {
    too_long_ = true;
    return;
  }
  std::ranges::copy(text, out_.data() + used_);
  used_ += text.size();
}

HeadWriter& HeadWriter::request_line(std::string_view method, std::string_view path,
                                     std::optional<std::string_view> query) {
  malformed_ |= !is_token(method) || path.empty() || !is_target_text(path) || (query && !is_target_text(*query));
  put(method);
  put(" ");
  put(path);
  if (query) {
    put("?");
    put(*query);
  }
  put(" HTTP/1.1\r\n");
  return *this;
}

HeadWriter& HeadWriter::status_line(int status) { return status_line(status, status_text(status)); }

HeadWriter& HeadWriter::status_line(int status, std::string_view reason) {
  malformed_ |= status < 100 || status > 999 || !is_field_text(reason);
  Digits digits;
  put("HTTP/1.1 ");
  put(to_digits(static_cast<std::uint64_t>(status), 10, digits));
  put(" ");
  put(reason);
  put("\r\n");
  return *this;
}

HeadWriter& HeadWriter::field(std::string_view name, std::string_view value) {
  return begin_field(name).append(value).end_field();
}

HeadWriter& HeadWriter::field(std::string_view name, std::uint64_t value) {
  Digits digits;
  return field(name, to_digits(value, 10, digits));
}

HeadWriter& HeadWriter::parsed_field(const Header& field) {
  constexpr std::size_t marks = 4;  // ": " and CRLF
  if (field.name.size() + field.value.size() + marks > out_.size() - used_) {
    too_long_ = true;
    return *this;
  }
  char* to = out_.data() + used_;
  to = std::ranges::copy(field.name, to).out;
  *to++ = ':';
  *to++ = ' ';
  to = std::ranges::copy(field.value, to).out;
  *to++ = '\r';
  *to++ = '\n';
  used_ = static_cast<std::size_t>(to - out_.data());
  return *this;
}

HeadWriter& HeadWriter::begin_field(std::string_view name) {
  malformed_ |= !is_token(name);
  put(name);
  put(": ");
  return *this;
}

HeadWriter& HeadWriter::append(std::string_view part_of_value) {
  malformed_ |= !is_field_text(part_of_value);
  put(part_of_value);
  return *this;
}

HeadWriter& HeadWriter::end_field() {
  put("\r\n");
  return *this;
}

std::expected<std::size_t, WriteFault> HeadWriter::end() {
  put("\r\n");
  if (malformed_) return std::unexpected(WriteFault::malformed);
  if (too_long_) return std::unexpected(WriteFault::too_long);
  return used_;
}

std::string_view status_text(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 38> texts{{
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  }};
  const auto* found = std::ranges::find(texts, status, &std::pair<int, std::string_view>::first);
  return found == texts.end() ? "Unknown" : found->second;
}

DateText date_text(std::int64_t unix_s) {
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const time_t seconds = unix_s;
  tm parts{};
  gmtime_r(&seconds, &parts);
  DateText text;
  char* to = text.data();
  const auto put = [&](std::string_view part) { to = std::ranges::copy(part, to).out; };
  const auto put_number = [&](int number) {
    *to++ = static_cast<char>('0' + number / 10);
    *to++ = static_cast<char>('0' + number % 10);
  };
  put(days.substr(static_cast<std::size_t>(parts.tm_wday) * 3, 3));
  put(", ");
  put_number(parts.tm_mday);
  put(" ");
  put(months.substr(static_cast<std::size_t>(parts.tm_mon) * 3, 3));
  put(" ");
  put_number((parts.tm_year + 1900) / 100);
  put_number(parts.tm_year % 100);
  for (const auto& [mark, number] : {std::pair{" ", parts.tm_hour}, {":", parts.tm_min}, {":", parts.tm_sec}}) {
    put(mark);
    put_number(number);
  }
  put(" GMT");
  RINGWALL_CHECK(to == text.data() + text.size());
  return text;
}

std::expected<std::size_t, WriteFault> simple_response(std::span<char> out, const SimpleResponse& response) {
  return write_whole(out, response, {});
}

std::expected<std::size_t, WriteFault> refusal_response(std::span<char> out, const Refusal& refusal,
                                                        std::string_view date, bool to_head) {
  // RFC 9110 section 15.5.22 and RFC 6455 section 4.4.
  constexpr Header what_would_be_right[] = {
      {"Upgrade", "websocket"}, {"Connection", "upgrade"}, {"Sec-WebSocket-Version", "13"}};
  SimpleResponse response{.status = refusal.status, .body = refusal.why, .to_head = to_head, .date = date};
  if (refusal.status == 426) response.extra = what_would_be_right;
  return write_whole(out, response, "\n");
}

std::size_t write_chunk_header(std::span<char, chunk_header_bytes_max> out, std::uint64_t payload_bytes) {
  RINGWALL_CHECK(payload_bytes > 0);
  Digits digits;
  const std::string_view size = to_digits(payload_bytes, 16, digits);
  std::ranges::copy(chunk_end, std::ranges::copy(size, out.data()).out);
  return size.size() + chunk_end.size();
}

}  // namespace ringwall::http
