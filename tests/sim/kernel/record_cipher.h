// record_cipher.h: one direction of TLS 1.2 or 1.3 after the handshake, from the key as Linux takes it.
//
// The simulated kernel's cryptography, and its peers'. By OpenSSL, so that what Ringwall does itself is judged by
// another's work. A value. Source: RFC 8446 section 5, RFC 5246 section 6.2, RFC 5288, RFC 7905, linux/tls.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ringwall::sim {

class RecordCipher {
 public:
  static constexpr std::size_t header_bytes = 5;
  static constexpr std::size_t plaintext_bytes_max = 16 * 1024;

  struct Record {
    std::uint8_t type;
    std::vector<std::byte> bytes;
  };

  // Nothing: it is no crypto_info of AES-GCM or ChaCha20-Poly1305, or not of the size of one.
  [[nodiscard]] static std::optional<RecordCipher> from(std::span<const std::byte> crypto_info);

  [[nodiscard]] std::uint16_t version() const { return version_; }
  [[nodiscard]] std::uint16_t cipher_type() const { return cipher_type_; }
  // What a record has beside its plaintext and header.
  [[nodiscard]] std::size_t overhead_bytes() const;

  [[nodiscard]] std::vector<std::byte> seal(std::uint8_t type, std::span<const std::byte> plaintext);
  // `record` is one, with its header. Nothing: it is not authentic.
  [[nodiscard]] std::optional<Record> open(std::span<const std::byte> record);

 private:
  using Nonce = std::array<std::byte, 12>;

  RecordCipher() = default;
  [[nodiscard]] bool has_explicit_nonce() const;
  [[nodiscard]] Nonce nonce(std::span<const std::byte> explicit_part) const;
  [[nodiscard]] std::vector<std::byte> additional_data(std::uint8_t type, std::size_t plaintext_bytes,
                                                       std::size_t record_bytes) const;

  std::uint16_t version_ = 0;
  std::uint16_t cipher_type_ = 0;
  std::vector<std::byte> key_;
  Nonce iv_{};  // with an explicit nonce: the salt and the next record's
  std::uint64_t sequence_ = 0;
};

}  // namespace ringwall::sim
