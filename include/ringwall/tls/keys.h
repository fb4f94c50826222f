// keys.h: what is left of a handshake: all that a record layer, ours or the kernel's, needs to carry on.
//
// Copies are secrets too: an object of these types wipes itself when it goes. Thread: any one at a time.
// Source: RFC 8446 section 7, RFC 5246 section 6.3, RFC 5288 section 3, RFC 7905 section 2, linux/tls.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace ringwall::tls {

enum class Role : std::uint8_t { server, client };  // ours
enum class Version : std::uint8_t { tls12, tls13 };
enum class Cipher : std::uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };
enum class Hash : std::uint8_t { sha256, sha384 };  // of the suite's key schedule

// As logs, metrics and the admin interface say it: "1.3", "aes_128_gcm".
[[nodiscard]] std::string_view name(Version version);
[[nodiscard]] std::string_view name(Cipher cipher);

[[nodiscard]] constexpr std::size_t key_bytes(Cipher cipher) { return cipher == Cipher::aes_128_gcm ? 16 : 32; }
[[nodiscard]] constexpr std::size_t secret_bytes(Hash hash) { return hash == Hash::sha256 ? 32 : 48; }

// Overwrites, in a way that no optimizer removes: it must take it that the asm reads all memory. What is short and of a
// constant size takes a few stores.
inline void wipe(std::span<std::byte> secret) {
  if (secret.empty()) return;
  std::memset(secret.data(), 0, secret.size());
  asm volatile("" : : "r"(secret.data()) : "memory");
}

// One direction of a connection.
struct Key {
  Key() = default;
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key() {
    wipe(key);
    wipe(iv);
    wipe(secret);
  }

  std::array<std::byte, 32> key{};     // key_bytes(cipher) of it
  std::array<std::byte, 12> iv{};      // AES-GCM in TLS 1.2: 4 of salt, then the explicit nonce of the next record sent
  std::uint64_t sequence = 0;          // of the next record
  std::array<std::byte, 48> secret{};  // TLS 1.3: the application traffic secret, secret_bytes(hash) of it
};

struct Keys {
  Version version = Version::tls13;
  Cipher cipher = Cipher::aes_128_gcm;
  Hash hash = Hash::sha256;
  Key send{};
  Key receive{};
};

// TLS 1.3: the key and iv that follow from the next secret, with sequence 0 (RFC 8446 section 7.2).
void advance(Key& key, Cipher cipher, Hash hash);

}  // namespace ringwall::tls
