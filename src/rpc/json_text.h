// json_text.h: the smallest pieces of JSON text: space, and where a run of plain characters in a string ends.
//
// Nothing reads past `end`. Source: RFC 8259, sections 2 and 7.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ringwall::rpc::json {

inline bool is_space(char byte) {
  // Of compact text nearly no byte is: one comparison tells.
  return static_cast<unsigned char>(byte) <= ' ' && (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t');
}

inline const char* skip_space(const char* at, const char* end) {
  while (at != end && is_space(*at)) ++at;
  return at;
}

inline std::string_view skip_space(std::string_view text) {
  while (!text.empty() && is_space(text[0])) text.remove_prefix(1);
  return text;
}

// Whether the text begins with the literal, which is compared a word or two at a time.
template <std::size_t Size>
bool begins_with(const char* at, const char* end, const char (&literal)[Size]) {
  constexpr std::size_t bytes = Size - 1;
  return static_cast<std::size_t>(end - at) >= bytes && std::memcmp(at, literal, bytes) == 0;
}

inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// A quote, a backslash or a control character: what a string's plain characters end at.
inline bool is_special(char byte) { return byte == '"' || byte == '\\' || static_cast<unsigned char>(byte) < 0x20; }

namespace detail {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t every_byte(std::uint64_t byte) { return byte * 0x0101'0101'0101'0101; }

// Has the high bit of the lowest special byte set, and no bit below it; 0 if there is none. (A borrow can only spoil
// the bytes above the lowest.)
inline std::uint64_t special_bytes(std::uint64_t word) {
  const std::uint64_t quote = word ^ every_byte('"');
  const std::uint64_t backslash = word ^ every_byte('\\');
  const std::uint64_t control = (word - every_byte(0x20)) & ~word;
  return (((quote - every_byte(1)) & ~quote) | ((backslash - every_byte(1)) & ~backslash) | control) & every_byte(0x80);
}

using Vector = std::uint8_t __attribute__((vector_size(16)));

inline bool has_special(const char* from) {
  Vector bytes[4];
  std::memcpy(bytes, from, sizeof bytes);
  Vector found = {};
  for (const Vector& each : bytes) {
    found |= static_cast<Vector>(each == '"') | static_cast<Vector>(each == '\\') | static_cast<Vector>(each < 0x20);
  }
  std::uint64_t halves[2];
  std::memcpy(halves, &found, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

#ifdef __SSE2__
// Of the 16 bytes there a bit for each special one, the first lowest.
inline unsigned special_bits(const char* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control)));
}
#endif

}  // namespace detail

// The first special byte, or `end`.
inline const char* find_special(const char* at, const char* end) {
#ifdef __SSE2__
  // Names and ids end within the first; what is longer than four is mostly the hex of an extrinsic.
  for (int vectors = 0; end - at >= 16; ++vectors) {
    if (vectors >= 4) {
      while (end - at >= 64 && !detail::has_special(at)) at += 64;
      if (end - at < 16) break;
    }
    if (const unsigned special = detail::special_bits(at); special != 0) return at + std::countr_zero(special);
    at += 16;
  }
#endif
  // Names and ids end within a few words; what is longer than that is mostly the hex of an extrinsic.
  for (int words = 0; end - at >= 8; ++words) {
    if (words >= 4) {
      while (end - at >= 64 && !detail::has_special(at)) at += 64;
      if (end - at < 8) break;
    }
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    if (const std::uint64_t special = detail::special_bytes(word); special != 0) {
      return at + std::countr_zero(special) / 8;
    }
    at += 8;
  }
  while (at != end && !is_special(*at)) ++at;
  return at;
}

}  // namespace ringwall::rpc::json
