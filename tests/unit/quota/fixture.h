// fixture.h: addresses, times and limits that the tests of quota share.
#pragma once

#include <ringwall/quota/admission.h>
#include <ringwall/quota/limits.h>
#include <ringwall/quota/terms.h>

#include <cstdint>

namespace ringwall::quota {

inline constexpr std::uint64_t ms_ns = 1'000'000;
inline constexpr std::uint64_t second_ns = 1'000 * ms_ns;
inline constexpr std::uint64_t start_ns = 1'000 * second_ns;

// 192.0.2.`last`, mapped.
inline AddressBytes ipv4(std::uint8_t last, std::uint8_t third = 2) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, third, last};
}

// 2001:db8:`site`:`subnet`::`host`, of which `site` is in the /48 and `subnet` in the /64.
inline AddressBytes ipv6(std::uint8_t site, std::uint8_t subnet, std::uint8_t host = 1) {
  return {0x20, 0x01, 0x0D, 0xB8, 0, site, 0, subnet, 0, 0, 0, 0, 0, 0, 0, host};
}

// A key of bucket `bucket`, whichever the size of the table.
inline std::uint64_t key_of(std::uint64_t number, std::uint64_t bucket = 0) {
  return (number * 0x9E37'79B9'7F4A'7C15) << 34 | bucket;
}

// No limit but those that a test sets.
inline Limits unlimited() { return lifted({}); }

inline constexpr Layout small_layout{.address_entries = 1U << 10, .network_entries = 1U << 8};

}  // namespace ringwall::quota
