// record_peer.h: the other side of a record layer, on OpenSSL's EVP and code of its own.
#pragma once

#include <ringwall/tls/records.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::tls::test {

inline constexpr std::uint8_t type_alert = 21, type_handshake = 22, type_data = 23;

struct Suite {
  Version version;
  Cipher cipher;
};
inline constexpr Suite suites[] = {
    {Version::tls13, Cipher::aes_128_gcm},       {Version::tls13, Cipher::aes_256_gcm},
    {Version::tls13, Cipher::chacha20_poly1305}, {Version::tls12, Cipher::aes_128_gcm},
    {Version::tls12, Cipher::aes_256_gcm},       {Version::tls12, Cipher::chacha20_poly1305},
};
inline constexpr Suite suite13 = suites[0], suite12 = suites[3];

std::vector<std::byte> from_hex(std::string_view hex);
std::string text_of(std::size_t bytes);  // a pattern

// Of a server: different ones in each direction, with sequence numbers as after a handshake.
Keys keys_for(Suite suite);

// HKDF-Expand-Label over OpenSSL's HMAC.
std::vector<std::byte> expand_label(std::span<const std::byte> secret, std::string_view label, std::size_t bytes,
                                    Hash hash);

// With OpenSSL. `out` is the ciphertext and its tag. False: the tag is wrong.
std::vector<std::byte> evp_seal(Cipher cipher, const Key& key, std::span<const std::byte> nonce,
                                std::span<const std::byte> aad, std::span<const std::byte> text);
bool evp_open(Cipher cipher, const Key& key, std::span<const std::byte> nonce, std::span<const std::byte> aad,
              std::span<const std::byte> sealed, std::vector<std::byte>& text);

struct Said {
  std::uint8_t type;
  std::string text;
  bool operator==(const Said&) const = default;
};

class RecordPeer {
 public:
  explicit RecordPeer(const Keys& keys_of_server) : keys_(keys_of_server) {}

  std::vector<std::byte> seal(std::uint8_t type, std::string_view text, std::size_t padding = 0);
  std::vector<std::byte> data(std::string_view text) { return seal(type_data, text); }
  // The text as it is, without what TLS 1.3 adds.
  std::vector<std::byte> seal_inner(std::uint8_t outer_type, std::string_view text);
  // Whole records, all of which must decrypt. Notes their nonces.
  std::vector<Said> open(std::span<const std::byte> wire);

  void advance_send() { next(keys_.receive); }
  void advance_receive() { next(keys_.send); }

  std::vector<std::vector<std::byte>> nonces;  // of what open() was given

 private:
  void next(Key& key) const;
  std::vector<std::byte> nonce_of(const Key& key) const;
  std::vector<std::byte> additional_data(const Key& key, std::span<const std::byte> header, std::size_t bytes) const;

  Keys keys_;
};

// A Records and its peer.
struct Pair {
  explicit Pair(Suite suite) : Pair(keys_for(suite)) {}
  explicit Pair(const Keys& keys) : records(keys, schedules), peer(keys) {}

  // All of `wire`, `step` bytes at a time; what was opened is appended to `text`. `wire` is overwritten.
  Records::Progress give(std::span<std::byte> wire, std::size_t step = SIZE_MAX);
  std::string seal_text(std::string_view text);  // as the wire
  std::vector<Said> said();                      // what the records layer appended to `out`, at the peer

  KeySchedules schedules;
  Records records;
  RecordPeer peer;
  std::string text;
  std::vector<std::byte> out;
};

}  // namespace ringwall::tls::test
