#include "sim/kernel/record_cipher.h"

#include <ringwall/check.h>

#include <linux/tls.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace ringwall::sim {

namespace {

constexpr std::size_t tag_bytes = 16;
constexpr std::size_t salt_bytes = 4;
constexpr std::size_t explicit_nonce_bytes = 8;
constexpr std::byte application_data{23};

struct Layout {
  std::uint16_t cipher_type;
  std::size_t iv_bytes, key_bytes, salt_bytes;
};

constexpr std::size_t sequence_bytes = 8;
constexpr std::array layouts{Layout{TLS_CIPHER_AES_GCM_128, 8, 16, 4}, Layout{TLS_CIPHER_AES_GCM_256, 8, 32, 4},
                             Layout{TLS_CIPHER_CHACHA20_POLY1305, 12, 32, 0}};

void append_number(std::vector<std::byte>& to, std::uint64_t number, std::size_t bytes) {
  while (bytes-- > 0) to.push_back(static_cast<std::byte>(number >> (8 * bytes)));
}

std::uint64_t number_of(std::span<const std::byte> bytes) {
  std::uint64_t number = 0;
  for (const std::byte byte : bytes) number = number << 8 | std::to_integer<std::uint64_t>(byte);
  return number;
}

std::vector<std::byte> header_of(std::uint8_t type, std::size_t bytes) {
  std::vector<std::byte> header{static_cast<std::byte>(type), std::byte{3}, std::byte{3}};
  append_number(header, bytes, 2);
  return header;
}

const EVP_CIPHER* algorithm(std::uint16_t cipher_type) {
  if (cipher_type == TLS_CIPHER_AES_GCM_128) return EVP_aes_128_gcm();
  if (cipher_type == TLS_CIPHER_AES_GCM_256) return EVP_aes_256_gcm();
  return EVP_chacha20_poly1305();
}

const unsigned char* data_of(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* data_of(std::span<std::byte> bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// Of an AEAD. `tag` is written when it encrypts; false: it was not the right one to decrypt with.
bool crypt(bool encrypts, std::uint16_t cipher_type, std::span<const std::byte> key, std::span<const std::byte> nonce,
           std::span<const std::byte> additional, std::span<const std::byte> from, std::span<std::byte> into,
           std::span<std::byte> tag) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  int count = 0;
  RINGWALL_CHECK(EVP_CipherInit_ex(context.get(), algorithm(cipher_type), nullptr, data_of(key), data_of(nonce),
                                   encrypts ? 1 : 0) == 1);
  RINGWALL_CHECK(
      EVP_CipherUpdate(context.get(), nullptr, &count, data_of(additional), static_cast<int>(additional.size())) == 1);
  if (!from.empty()) {
    RINGWALL_CHECK(
        EVP_CipherUpdate(context.get(), data_of(into), &count, data_of(from), static_cast<int>(from.size())) == 1);
  }
  if (!encrypts) {
    RINGWALL_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1);
  }
  std::array<unsigned char, 16> rest{};
  if (EVP_CipherFinal_ex(context.get(), rest.data(), &count) != 1) return false;
  if (encrypts) RINGWALL_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, tag.data()) == 1);
  return true;
}

}  // namespace

std::optional<RecordCipher> RecordCipher::from(std::span<const std::byte> crypto_info) {
  RecordCipher cipher;
  constexpr std::size_t names_bytes = sizeof(tls_crypto_info);
  if (crypto_info.size() < names_bytes) return std::nullopt;
  std::memcpy(&cipher.version_, crypto_info.data(), 2);
  std::memcpy(&cipher.cipher_type_, crypto_info.data() + 2, 2);
  const auto* const layout = std::ranges::find(layouts, cipher.cipher_type_, &Layout::cipher_type);
  if (layout == layouts.end() || (cipher.version_ != TLS_1_2_VERSION && cipher.version_ != TLS_1_3_VERSION) ||
      crypto_info.size() != names_bytes + layout->iv_bytes + layout->key_bytes + layout->salt_bytes + sequence_bytes) {
    return std::nullopt;
  }
  const auto iv = crypto_info.subspan(names_bytes, layout->iv_bytes);
  const auto key = crypto_info.subspan(names_bytes + layout->iv_bytes, layout->key_bytes);
  const auto salt = crypto_info.subspan(names_bytes + layout->iv_bytes + layout->key_bytes, layout->salt_bytes);
  cipher.key_.assign(key.begin(), key.end());
  std::ranges::copy(iv, std::ranges::copy(salt, cipher.iv_.begin()).out);
  cipher.sequence_ = number_of(crypto_info.last(sequence_bytes));
  return cipher;
}

bool RecordCipher::has_explicit_nonce() const {
  return version_ == TLS_1_2_VERSION && cipher_type_ != TLS_CIPHER_CHACHA20_POLY1305;
}

std::size_t RecordCipher::overhead_bytes() const {
  return tag_bytes + (version_ == TLS_1_3_VERSION ? 1 : has_explicit_nonce() ? explicit_nonce_bytes : 0);
}

RecordCipher::Nonce RecordCipher::nonce(std::span<const std::byte> explicit_part) const {
  Nonce nonce = iv_;
  if (has_explicit_nonce()) {
    std::ranges::copy(explicit_part, nonce.begin() + salt_bytes);
  } else {
    for (std::size_t at = 0; at < sequence_bytes; ++at) {
      nonce[nonce.size() - 1 - at] ^= static_cast<std::byte>(sequence_ >> (8 * at));
    }
  }
  return nonce;
}

std::vector<std::byte> RecordCipher::additional_data(std::uint8_t type, std::size_t plaintext_bytes,
                                                     std::size_t record_bytes) const {
  if (version_ == TLS_1_3_VERSION) return header_of(std::to_integer<std::uint8_t>(application_data), record_bytes);
  std::vector<std::byte> data;
  append_number(data, sequence_, sequence_bytes);
  const std::vector<std::byte> header = header_of(type, plaintext_bytes);
  data.insert(data.end(), header.begin(), header.end());
  return data;
}

std::vector<std::byte> RecordCipher::seal(std::uint8_t type, std::span<const std::byte> plaintext) {
  std::vector<std::byte> inner(plaintext.begin(), plaintext.end());
  if (version_ == TLS_1_3_VERSION) inner.push_back(static_cast<std::byte>(type));
  const std::size_t explicit_bytes = has_explicit_nonce() ? explicit_nonce_bytes : 0;
  const std::size_t record_bytes = explicit_bytes + inner.size() + tag_bytes;
  const std::vector<std::byte> additional = additional_data(type, inner.size(), record_bytes);
  const auto explicit_part = std::span(iv_).last(explicit_bytes);

  std::vector<std::byte> record =
      header_of(version_ == TLS_1_3_VERSION ? std::to_integer<std::uint8_t>(application_data) : type, record_bytes);
  record.insert(record.end(), explicit_part.begin(), explicit_part.end());
  record.resize(header_bytes + record_bytes);
  const std::span<std::byte> body = std::span(record).subspan(header_bytes + explicit_bytes);
  RINGWALL_CHECK(crypt(true, cipher_type_, key_, nonce(explicit_part), additional, inner, body.first(inner.size()),
                       body.last(tag_bytes)));
  ++sequence_;
  if (has_explicit_nonce()) {
    std::vector<std::byte> next;
    append_number(next, number_of(explicit_part) + 1, explicit_nonce_bytes);
    std::ranges::copy(next, iv_.begin() + salt_bytes);
  }
  return record;
}

std::optional<RecordCipher::Record> RecordCipher::open(std::span<const std::byte> record) {
  if (record.size() < header_bytes + overhead_bytes()) return std::nullopt;
  const std::span<const std::byte> body = record.subspan(header_bytes);
  const std::size_t explicit_bytes = has_explicit_nonce() ? explicit_nonce_bytes : 0;
  const std::span<const std::byte> sealed = body.subspan(explicit_bytes, body.size() - explicit_bytes - tag_bytes);
  Record opened{.type = std::to_integer<std::uint8_t>(record[0]), .bytes = std::vector<std::byte>(sealed.size())};
  std::array<std::byte, tag_bytes> tag{};
  std::ranges::copy(body.last(tag_bytes), tag.begin());
  const std::vector<std::byte> additional = additional_data(opened.type, sealed.size(), body.size());
  if (!crypt(false, cipher_type_, key_, nonce(body.first(explicit_bytes)), additional, sealed, opened.bytes, tag)) {
    return std::nullopt;
  }
  ++sequence_;
  if (version_ != TLS_1_3_VERSION) return opened;
  while (!opened.bytes.empty() && opened.bytes.back() == std::byte{0}) opened.bytes.pop_back();
  if (opened.bytes.empty()) return std::nullopt;
  opened.type = std::to_integer<std::uint8_t>(opened.bytes.back());
  opened.bytes.pop_back();
  return opened;
}

}  // namespace ringwall::sim
