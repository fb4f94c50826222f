// What this project changes in wolfCrypt, against other ways to the same: a patched function that is wrong must not
// ship.
#include "unit/catch.h"

#include "tls/library.h"

#include <openssl/evp.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace ringwall::tls {
namespace {

using Point = std::array<unsigned char, CURVE25519_KEYSIZE>;
using Digest = std::array<unsigned char, WC_SHA256_DIGEST_SIZE>;

template <typename Bytes>
void fill_random(Bytes& bytes) {
  WC_RNG rng;
  REQUIRE(wc_InitRng(&rng) == 0);
  REQUIRE(wc_RNG_GenerateBlock(&rng, bytes.data(), static_cast<word32>(bytes.size())) == 0);
  REQUIRE(wc_FreeRng(&rng) == 0);
}

Point random_scalar() {
  Point scalar;
  fill_random(scalar);
  scalar.front() &= 0xf8;
  scalar.back() = static_cast<unsigned char>((scalar.back() & 0x7f) | 0x40);
  return scalar;
}

Point public_key(const Point& scalar) {
  Point key;
  REQUIRE(wc_curve25519_make_pub(CURVE25519_KEYSIZE, key.data(), CURVE25519_KEYSIZE, scalar.data()) == 0);
  return key;
}

// By the ladder, which takes any point.
Point ladder(const Point& scalar) {
  const Point base{9};
  Point key;
  REQUIRE(wc_curve25519_generic(CURVE25519_KEYSIZE, key.data(), CURVE25519_KEYSIZE, scalar.data(), CURVE25519_KEYSIZE,
                                base.data()) == 0);
  return key;
}

Digest by_wolfcrypt(std::span<const unsigned char> text, std::size_t cut) {
  Digest digest;
  wc_Sha256 hash;
  REQUIRE(wc_InitSha256(&hash) == 0);
  REQUIRE(wc_Sha256Update(&hash, text.data(), static_cast<word32>(cut)) == 0);
  REQUIRE(wc_Sha256Update(&hash, text.data() + cut, static_cast<word32>(text.size() - cut)) == 0);
  REQUIRE(wc_Sha256Final(&hash, digest.data()) == 0);
  wc_Sha256Free(&hash);
  return digest;
}

Digest by_openssl(std::span<const unsigned char> text) {
  Digest digest;
  REQUIRE(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

TEST_CASE("a public key of X25519 is the one of RFC 7748 section 6.1") {
  REQUIRE(start_library());
  // wolfSSL takes clamped scalars only: the section's, with the bits set that its own rule sets.
  const Point alice{0x70, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
                    0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x6a};
  const Point expected{0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
                       0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
  CHECK(public_key(alice) == expected);
}

TEST_CASE("a public key by the table of the base point is the one by the ladder") {
  REQUIRE(start_library());
  for (int round = 0; round < 500; ++round) {
    const Point scalar = random_scalar();
    REQUIRE(public_key(scalar) == ladder(scalar));
  }
  Point least{}, most;
  least.back() = 0x40;
  most.fill(0xff);
  most.front() = 0xf8;
  most.back() = 0x7f;
  CHECK(public_key(least) == ladder(least));
  CHECK(public_key(most) == ladder(most));
}

TEST_CASE("SHA-256 of every length, in two parts, is OpenSSL's") {
  REQUIRE(start_library());
  std::vector<unsigned char> text(700);
  fill_random(text);
  for (std::size_t bytes = 0; bytes <= text.size(); ++bytes) {
    const std::span part = std::span(text).first(bytes);
    const Digest expected = by_openssl(part);
    for (const std::size_t cut : {std::size_t{0}, bytes / 2, std::min<std::size_t>(bytes, 64), bytes}) {
      REQUIRE(by_wolfcrypt(part, cut) == expected);
    }
  }
}

TEST_CASE("random bytes are never given twice, however many are asked for and by whichever thread") {
  REQUIRE(start_library());
  constexpr std::size_t threads = 4, rounds = 300;
  std::array<std::vector<std::string>, threads> given;
  std::vector<std::thread> running;
  for (auto& own : given) {
    running.emplace_back([&own] {
      WC_RNG rng;
      (void)wc_InitRng(&rng);
      for (std::size_t round = 0; round < rounds; ++round) {
        std::string bytes(16 + round, '\0');
        if (wc_RNG_GenerateBlock(&rng, reinterpret_cast<byte*>(bytes.data()), static_cast<word32>(bytes.size())) == 0) {
          own.push_back(bytes.substr(0, 16));
          own.push_back(bytes.substr(bytes.size() - 16));
        }
      }
      (void)wc_FreeRng(&rng);
    });
  }
  for (std::thread& thread : running) thread.join();
  std::set<std::string> seen;
  for (const auto& own : given) seen.insert(own.begin(), own.end());
  // The first 16 bytes of the first round are its last 16 too.
  CHECK(seen.size() == threads * (2 * rounds - 1));
}

}  // namespace
}  // namespace ringwall::tls
