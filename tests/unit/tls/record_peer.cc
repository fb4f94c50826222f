#include "record_peer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <memory>

#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls::test {
namespace {

using Bytes = std::vector<std::byte>;

const EVP_CIPHER* evp(Cipher cipher) {
  switch (cipher) {
    case Cipher::aes_128_gcm:
      return EVP_aes_128_gcm();
    case Cipher::aes_256_gcm:
      return EVP_aes_256_gcm();
    case Cipher::chacha20_poly1305:
      return EVP_chacha20_poly1305();
  }
  return nullptr;
}

const unsigned char* in(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* out(std::byte* to) { return reinterpret_cast<unsigned char*>(to); }

using EvpContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

EvpContext begin(Cipher cipher, const Key& key, std::span<const std::byte> nonce, std::span<const std::byte> aad,
                 int sealing) {
  EvpContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  REQUIRE(EVP_CipherInit_ex(context.get(), evp(cipher), nullptr, in(key.key), in(nonce), sealing) == 1);
  int n = 0;
  if (!aad.empty()) {
    REQUIRE(EVP_CipherUpdate(context.get(), nullptr, &n, in(aad), static_cast<int>(aad.size())) == 1);
  }
  return context;
}

void append_number(Bytes& to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0;) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

}  // namespace

Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string text_of(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

Keys keys_for(Suite suite) {
  Keys keys;
  keys.version = suite.version;
  keys.cipher = suite.cipher;
  keys.hash = suite.cipher == Cipher::aes_256_gcm ? Hash::sha384 : Hash::sha256;
  unsigned seed = 7;
  for (Key* key : {&keys.send, &keys.receive}) {
    const auto fill = [&seed](std::span<std::byte> bytes) {
      for (std::byte& byte : bytes) byte = static_cast<std::byte>((seed = seed * 1103515245 + 12345) >> 16);
    };
    fill(std::span(key->key).first(key_bytes(suite.cipher)));
    fill(key->iv);
    if (suite.version == Version::tls13) fill(std::span(key->secret).first(secret_bytes(keys.hash)));
    key->sequence = suite.version == Version::tls12 || key == &keys.send ? 1 : 0;
  }
  return keys;
}

Bytes expand_label(std::span<const std::byte> secret, std::string_view label, std::size_t bytes, Hash hash) {
  // No output here is longer than the hash's, so that one block of HKDF-Expand does.
  const std::string name = "tls13 " + std::string(label);
  Bytes info;
  append_number(info, bytes, 2);
  append_number(info, name.size(), 1);
  std::ranges::copy(as_bytes(name), std::back_inserter(info));
  append_number(info, 0, 1);
  append_number(info, 1, 1);
  Bytes block(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  REQUIRE(HMAC(hash == Hash::sha256 ? EVP_sha256() : EVP_sha384(), secret.data(), static_cast<int>(secret.size()),
               in(info), info.size(), out(block.data()), &size));
  REQUIRE(size >= bytes);
  block.resize(bytes);
  return block;
}

Bytes evp_seal(Cipher cipher, const Key& key, std::span<const std::byte> nonce, std::span<const std::byte> aad,
               std::span<const std::byte> text) {
  const auto context = begin(cipher, key, nonce, aad, 1);
  Bytes sealed(text.size() + 16);
  int n = 0;
  if (!text.empty()) {
    REQUIRE(EVP_CipherUpdate(context.get(), out(sealed.data()), &n, in(text), static_cast<int>(text.size())) == 1);
  }
  REQUIRE(EVP_CipherFinal_ex(context.get(), out(sealed.data() + n), &n) == 1);
  REQUIRE(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, sealed.data() + text.size()) == 1);
  return sealed;
}

bool evp_open(Cipher cipher, const Key& key, std::span<const std::byte> nonce, std::span<const std::byte> aad,
              std::span<const std::byte> sealed, Bytes& text) {
  REQUIRE(sealed.size() >= 16);
  const auto context = begin(cipher, key, nonce, aad, 0);
  Bytes tag(sealed.end() - 16, sealed.end());
  text.resize(sealed.size() - 16);
  int n = 0;
  if (!text.empty()) {
    REQUIRE(EVP_CipherUpdate(context.get(), out(text.data()), &n, in(sealed), static_cast<int>(text.size())) == 1);
  }
  REQUIRE(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1);
  std::array<unsigned char, 16> rest;
  return EVP_CipherFinal_ex(context.get(), rest.data(), &n) == 1;
}

Bytes RecordPeer::nonce_of(const Key& key) const {
  Bytes nonce(key.iv.begin(), key.iv.end());
  for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] ^= static_cast<std::byte>(key.sequence >> (8 * (7 - i)));
  return nonce;
}

Bytes RecordPeer::additional_data(const Key& key, std::span<const std::byte> header, std::size_t bytes) const {
  if (keys_.version == Version::tls13) return Bytes(header.begin(), header.end());
  Bytes data;
  append_number(data, key.sequence, 8);
  data.insert(data.end(), header.begin(), header.begin() + 3);
  append_number(data, bytes, 2);
  return data;
}

Bytes RecordPeer::seal(std::uint8_t type, std::string_view text, std::size_t padding) {
  if (keys_.version == Version::tls12) return seal_inner(type, text);
  std::string inner(text);
  inner += static_cast<char>(type);
  inner.append(padding, '\0');
  return seal_inner(type_data, inner);
}

Bytes RecordPeer::seal_inner(std::uint8_t outer_type, std::string_view text) {
  Key& key = keys_.receive;
  const bool explicit_nonce = keys_.version == Version::tls12 && keys_.cipher != Cipher::chacha20_poly1305;
  Bytes record;
  append_number(record, outer_type, 1);
  append_number(record, 0x0303, 2);
  append_number(record, text.size() + 16 + (explicit_nonce ? 8 : 0), 2);
  const Bytes aad = additional_data(key, record, text.size());
  Bytes nonce = nonce_of(key);
  if (explicit_nonce) {
    // Not the sequence number: the receiver must take what the record says.
    nonce.assign(key.iv.begin(), key.iv.begin() + 4);
    append_number(nonce, 0xA5A5A5A500000000 + key.sequence, 8);
    record.insert(record.end(), nonce.begin() + 4, nonce.end());
  }
  const Bytes sealed = evp_seal(keys_.cipher, key, nonce, aad, as_bytes(text));
  record.insert(record.end(), sealed.begin(), sealed.end());
  ++key.sequence;
  return record;
}

std::vector<Said> RecordPeer::open(std::span<const std::byte> wire) {
  Key& key = keys_.send;
  const bool explicit_nonce = keys_.version == Version::tls12 && keys_.cipher != Cipher::chacha20_poly1305;
  std::vector<Said> said;
  while (!wire.empty()) {
    REQUIRE(wire.size() >= 5);
    const auto header = wire.first(5);
    REQUIRE(header[1] == std::byte{3});
    REQUIRE(header[2] == std::byte{3});
    const std::size_t bytes = std::to_integer<std::size_t>(header[3]) << 8 | std::to_integer<std::size_t>(header[4]);
    REQUIRE(wire.size() >= 5 + bytes);
    auto body = wire.subspan(5, bytes);
    wire = wire.subspan(5 + bytes);
    Bytes nonce = nonce_of(key);
    if (explicit_nonce) {
      nonce.assign(key.iv.begin(), key.iv.begin() + 4);
      nonce.insert(nonce.end(), body.begin(), body.begin() + 8);
      body = body.subspan(8);
    }
    nonces.push_back(nonce);
    Bytes text;
    REQUIRE(evp_open(keys_.cipher, key, nonce, additional_data(key, header, body.size() - 16), body, text));
    ++key.sequence;
    auto type = std::to_integer<std::uint8_t>(header[0]);
    if (keys_.version == Version::tls13) {
      REQUIRE(type == type_data);
      while (!text.empty() && text.back() == std::byte{0}) text.pop_back();
      REQUIRE(!text.empty());
      type = std::to_integer<std::uint8_t>(text.back());
      text.pop_back();
    }
    said.push_back({type, std::string(as_text(text))});
  }
  return said;
}

void RecordPeer::next(Key& key) const {
  const Bytes secret = expand_label(std::span(key.secret).first(secret_bytes(keys_.hash)), "traffic upd",
                                    secret_bytes(keys_.hash), keys_.hash);
  std::ranges::copy(secret, key.secret.begin());
  std::ranges::copy(expand_label(secret, "key", key_bytes(keys_.cipher), keys_.hash), key.key.begin());
  std::ranges::copy(expand_label(secret, "iv", 12, keys_.hash), key.iv.begin());
  key.sequence = 0;
}

Records::Progress Pair::give(std::span<std::byte> wire, std::size_t step) {
  struct Appended final : Output {
    explicit Appended(Bytes& to) : bytes(to) {}
    void append(std::span<const std::byte> ciphertext) override {
      bytes.insert(bytes.end(), ciphertext.begin(), ciphertext.end());
    }
    Bytes& bytes;
  } output(out);
  Records::Progress progress = Records::Progress::need_input;
  while (!wire.empty()) {
    auto given = wire.first(std::min(step, wire.size()));
    wire = wire.subspan(given.size());
    Records::Opened opened;
    while ((progress = records.open(given, opened, output)) == Records::Progress::plaintext) {
      REQUIRE(!opened.plaintext.empty());
      text += as_text(opened.plaintext);
    }
    if (progress != Records::Progress::need_input) return progress;
    REQUIRE(given.empty());
  }
  return progress;
}

std::string Pair::seal_text(std::string_view sent) {
  Bytes wire(sent.size() + record_overhead_bytes_max);
  const std::array pieces{as_bytes(sent)};
  wire.resize(records.seal(pieces, wire));
  return std::string(as_text(wire));
}

std::vector<Said> Pair::said() {
  auto said = peer.open(out);
  out.clear();
  return said;
}

}  // namespace ringwall::tls::test
