// The kernel's structs, byte for byte, as linux/tls.h lays them out: version, cipher, iv, key, salt, sequence number.
#include <ringwall/tls/kernel_key.h>

#include "unit/catch.h"

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

namespace ringwall::tls {
namespace {

// 0xa0, 0xa1 ... is the iv, 0, 1 ... the key.
Key sample_key() {
  Key key;
  for (std::size_t at = 0; at < key.iv.size(); ++at) key.iv[at] = static_cast<std::byte>(0xa0 + at);
  for (std::size_t at = 0; at < key.key.size(); ++at) key.key[at] = static_cast<std::byte>(at);
  key.sequence = 0x0102030405060708;
  return key;
}

std::vector<std::byte> range(unsigned first, std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t at = 0; at < count; ++at) bytes[at] = static_cast<std::byte>(first + at);
  return bytes;
}

// Two native numbers of 16 bits, then the parts.
std::vector<std::byte> joined(unsigned version, unsigned cipher, const std::vector<std::vector<std::byte>>& parts) {
  std::vector<std::byte> bytes{static_cast<std::byte>(version & 0xff), static_cast<std::byte>(version >> 8),
                               static_cast<std::byte>(cipher), std::byte{0}};
  for (const auto& part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

std::vector<std::byte> bytes_of(Version version, Cipher cipher) {
  const KernelKey key(sample_key(), version, cipher);
  return {key.crypto_info().begin(), key.crypto_info().end()};
}

}  // namespace

TEST_CASE("AES-GCM's salt is the first four bytes of the iv, and the sequence number is big-endian") {
  CHECK(bytes_of(Version::tls13, Cipher::aes_128_gcm) ==
        joined(0x0304, 51, {range(0xa4, 8), range(0, 16), range(0xa0, 4), range(1, 8)}));
  CHECK(bytes_of(Version::tls13, Cipher::aes_256_gcm) ==
        joined(0x0304, 52, {range(0xa4, 8), range(0, 32), range(0xa0, 4), range(1, 8)}));
}

TEST_CASE("ChaCha20-Poly1305 has the whole iv and no salt") {
  CHECK(bytes_of(Version::tls13, Cipher::chacha20_poly1305) ==
        joined(0x0304, 54, {range(0xa0, 12), range(0, 32), range(1, 8)}));
}

TEST_CASE("TLS 1.2 differs by its version alone: what the iv means is the suite's affair") {
  for (const Cipher cipher : {Cipher::aes_128_gcm, Cipher::aes_256_gcm, Cipher::chacha20_poly1305}) {
    std::vector<std::byte> newer = bytes_of(Version::tls13, cipher);
    newer[0] = std::byte{3};
    CHECK(bytes_of(Version::tls12, cipher) == newer);
  }
}

TEST_CASE("a key for the kernel leaves nothing behind") {
  alignas(KernelKey) std::array<std::byte, sizeof(KernelKey)> memory{};
  auto* const key = new (memory.data()) KernelKey(sample_key(), Version::tls13, Cipher::aes_256_gcm);
  const std::vector<std::byte> secret = range(0, 32);
  REQUIRE(std::ranges::search(memory, secret).begin() != memory.end());
  std::destroy_at(key);
  for (std::size_t at = 0; at + 4 <= secret.size(); ++at) {
    CHECK(std::ranges::search(memory, std::span(secret).subspan(at, 4)).begin() == memory.end());
  }
}

}  // namespace ringwall::tls
