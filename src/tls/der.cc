#include "der.h"

#include <ctime>

namespace ringwall::tls::der {

std::optional<Value> next(std::string_view& in) {
  if (in.size() < 2) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(in[i]); };
  std::size_t header = 2;
  std::size_t size = byte(1);
  if (size >= 0x80) {
    const std::size_t digits = size & 0x7f;
    if (digits == 0 || digits > 3 || in.size() < 2 + digits) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < digits; ++i) size = size << 8 | byte(2 + i);
    header += digits;
  }
  if (in.size() - header < size) return std::nullopt;
  const Value value{byte(0), in.substr(header, size), in.substr(0, header + size)};
  in.remove_prefix(header + size);
  return value;
}

std::optional<std::string_view> expect(std::string_view& in, std::uint8_t tag) {
  const auto value = next(in);
  if (!value || value->tag != tag) return std::nullopt;
  return value->content;
}

std::optional<std::int64_t> read_time(std::string_view& in) {
  const auto value = next(in);
  if (!value || (value->tag != utc_time && value->tag != generalized_time)) return std::nullopt;
  const std::size_t year_digits = value->tag == utc_time ? 2 : 4;
  if (value->content.size() != year_digits + 11 || value->content.back() != 'Z') return std::nullopt;
  for (const char c : value->content.substr(0, year_digits + 10)) {
    if (c < '0' || c > '9') return std::nullopt;
  }
  const auto digits = [&](std::size_t at, std::size_t count) {
    int number = 0;
    for (const char c : value->content.substr(at, count)) number = number * 10 + (c - '0');
    return number;
  };
  std::tm parts{};
  parts.tm_year = digits(0, year_digits) - (year_digits == 4 ? 1900 : 0);
  if (year_digits == 2 && parts.tm_year < 50) parts.tm_year += 100;
  parts.tm_mon = digits(year_digits, 2) - 1;
  parts.tm_mday = digits(year_digits + 2, 2);
  parts.tm_hour = digits(year_digits + 4, 2);
  parts.tm_min = digits(year_digits + 6, 2);
  parts.tm_sec = digits(year_digits + 8, 2);
  return timegm(&parts);
}

std::string write_time(std::int64_t unix_s) {
  const std::time_t when = unix_s;
  std::tm parts{};
  gmtime_r(&when, &parts);
  const bool utc = parts.tm_year < 150;
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, utc ? "%y%m%d%H%M%SZ" : "%Y%m%d%H%M%SZ", &parts);
  return write(utc ? utc_time : generalized_time, {std::string_view(text, size)});
}

std::string write(std::uint8_t tag, std::initializer_list<std::string_view> contents) {
  std::size_t size = 0;
  for (const std::string_view content : contents) size += content.size();
  std::string out(1, static_cast<char>(tag));
  if (size >= 0x80) {
    std::size_t digits = 1;
    while (size >> (8 * digits)) ++digits;
    out.push_back(static_cast<char>(0x80 | digits));
    for (std::size_t i = digits; i-- > 0;) out.push_back(static_cast<char>(size >> (8 * i)));
  } else {
    out.push_back(static_cast<char>(size));
  }
  for (const std::string_view content : contents) out += content;
  return out;
}

}  // namespace ringwall::tls::der
