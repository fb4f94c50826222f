// der.h: DER (X.690) as far as certificates need it: tag, length, content, both ways.
//
// The reader meets files of the operator only, never a peer's bytes, and still refuses what does not fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace ringwall::tls::der {

inline constexpr std::uint8_t boolean = 0x01, integer = 0x02, bit_string = 0x03, octet_string = 0x04, oid = 0x06,
                              enumerated = 0x0a, utf8_string = 0x0c, utc_time = 0x17, generalized_time = 0x18,
                              sequence = 0x30, set = 0x31;

// A context-specific tag: [number], constructed or primitive.
constexpr std::uint8_t context(std::uint8_t number, bool constructed) {
  return static_cast<std::uint8_t>(0x80 | (constructed ? 0x20 : 0) | number);
}

struct Value {
  std::uint8_t tag = 0;
  std::string_view content;
  std::string_view whole;  // with tag and length
};

// Takes one value from the front of `in`; empty when there is none or it does not fit.
[[nodiscard]] std::optional<Value> next(std::string_view& in);
// The same, which must have this tag; its content. Empty content and a missing value differ.
[[nodiscard]] std::optional<std::string_view> expect(std::string_view& in, std::uint8_t tag);

// UTCTime or GeneralizedTime in Z, as Unix time (RFC 5280 section 4.1.2.5).
[[nodiscard]] std::optional<std::int64_t> read_time(std::string_view& in);
// The shorter form that RFC 5280 asks for: UTCTime until 2049.
[[nodiscard]] std::string write_time(std::int64_t unix_s);

[[nodiscard]] std::string write(std::uint8_t tag, std::initializer_list<std::string_view> contents);

}  // namespace ringwall::tls::der
