#include <ringwall/tls/handshaker.h>

#include <algorithm>
#include <cstring>

#include "big_endian.h"
#include "lease.h"
#include "library.h"
#include "reason.h"

namespace ringwall::tls {
namespace {

constexpr std::size_t header_bytes = 5;

// Of what follows a record's header.
std::size_t record_bytes(std::span<const std::byte> header) {
  return std::to_integer<std::size_t>(header[3]) << 8 | std::to_integer<std::size_t>(header[4]);
}

}  // namespace

Handshaker::~Handshaker() { wolfSSL_free(ssl_); }

void Handshaker::attach(WOLFSSL* ssl) {
  RINGWALL_CHECK(!ssl_);
  ssl_ = ssl;
  wolfSSL_SSLSetIORecv(ssl_, &Handshaker::receive);
  wolfSSL_SSLSetIOSend(ssl_, &Handshaker::send);
  wolfSSL_SetIOReadCtx(ssl_, this);
  wolfSSL_SetIOWriteCtx(ssl_, this);
  wolfSSL_set_tls13_secret_cb(ssl_, &Handshaker::keep_secret, this);
}

int Handshaker::receive(WOLFSSL*, char* to, int size, void* handshaker) {
  auto& self = *static_cast<Handshaker*>(handshaker);
  const std::size_t given = self.read(std::as_writable_bytes(std::span(to, static_cast<std::size_t>(size))));
  return given > 0 ? static_cast<int>(given) : int{WOLFSSL_CBIO_ERR_WANT_READ};
}

int Handshaker::send(WOLFSSL*, char* from, int size, void* handshaker) {
  auto& self = *static_cast<Handshaker*>(handshaker);
  // wolfSSL sends nothing by itself, so there is always a call of ours that lent the output.
  RINGWALL_CHECK(self.out_);
  const std::span<const std::byte> sent = std::as_bytes(std::span(from, static_cast<std::size_t>(size)));
  self.watch_output(sent);
  self.out_->append(sent);
  self.answered_ = true;
  return size;
}

int Handshaker::keep_secret(WOLFSSL*, int id, const unsigned char* secret, int size, void* handshaker) {
  auto& self = *static_cast<Handshaker*>(handshaker);
  if (id != CLIENT_TRAFFIC_SECRET && id != SERVER_TRAFFIC_SECRET) return 0;
  std::array<std::byte, 48>& to = (id == CLIENT_TRAFFIC_SECRET ? self.client_key_ : self.server_key_).secret;
  RINGWALL_CHECK(size > 0 && static_cast<std::size_t>(size) <= to.size());
  std::memcpy(to.data(), secret, static_cast<std::size_t>(size));
  return 0;
}

std::size_t Handshaker::read_input(std::span<std::byte> to) {
  if (!in_ || in_->empty()) return 0;
  const std::size_t given = std::min(to.size(), in_->size());
  std::memcpy(to.data(), in_->data(), given);
  watch_input(in_->first(given));
  *in_ = in_->subspan(given);
  return given;
}

// Follows the record headers in what wolfSSL reads.
void Handshaker::watch_input(std::span<const std::byte> given) {
  for (const std::byte byte : given) {
    if (record_left_ > 0) {
      --record_left_;
      continue;
    }
    if (record_header_have_ == record_header_.size()) record_header_have_ = 0;
    record_header_[record_header_have_++] = byte;
    if (record_header_have_ == record_header_.size()) record_left_ = record_bytes(record_header_);
  }
}

// wolfSSL sends whole records, one or several a call.
void Handshaker::watch_output(std::span<const std::byte> sent) {
  while (sent.size() > header_bytes) {
    const std::size_t size = record_bytes(sent);
    const std::span<const std::byte> record = sent.subspan(header_bytes);
    if (record.size() < size) return;
    if (size >= explicit_nonce_.size())
      std::ranges::copy(record.first(explicit_nonce_.size()), explicit_nonce_.begin());
    sent = record.subspan(size);
  }
}

Handshaker::Progress Handshaker::fail_with(int error, std::optional<std::uint8_t> plain_alert) {
  WOLFSSL_ALERT_HISTORY alerts{};
  wolfSSL_get_alert_history(ssl_, &alerts);
  const auto seen = [](const WOLFSSL_ALERT& alert) -> std::optional<std::uint8_t> {
    if (alert.code < 0) return std::nullopt;
    return static_cast<std::uint8_t>(alert.code);
  };
  failure_.alert_received = seen(alerts.last_rx);
  failure_.alert_sent = seen(alerts.last_tx);
  if (!failure_.alert_received) failure_.alert_received = plain_alert;
  failure_.reason = reason_for(error, failure_.alert_received);
  failure_text_ = text_for(error, failure_, role());
  return Progress::failed;
}

Keys Handshaker::keys() const {
  RINGWALL_CHECK(done_);
  Keys keys;
  keys.version = wolfSSL_version(ssl_) == TLS1_3_VERSION ? Version::tls13 : Version::tls12;
  const bool is_chacha = wolfSSL_GetBulkCipher(ssl_) == wolfssl_chacha;
  const auto key_size = static_cast<std::size_t>(wolfSSL_GetKeySize(ssl_));
  keys.cipher = is_chacha ? Cipher::chacha20_poly1305 : key_size == 16 ? Cipher::aes_128_gcm : Cipher::aes_256_gcm;
  keys.hash = keys.cipher == Cipher::aes_256_gcm ? Hash::sha384 : Hash::sha256;  // of all suites that we offer
  RINGWALL_CHECK(key_size == key_bytes(keys.cipher));

  const bool has_explicit_nonce = keys.version == Version::tls12 && !is_chacha;
  const std::size_t iv_size = has_explicit_nonce ? 4 : keys.send.iv.size();
  const auto take = [&](Key& to, const Key& known, const unsigned char* key, const unsigned char* iv) {
    to.secret = known.secret;
    std::memcpy(to.key.data(), key, key_size);
    std::memcpy(to.iv.data(), iv, iv_size);
  };
  const bool is_server = role() == Role::server;
  take(is_server ? keys.send : keys.receive, server_key_, wolfSSL_GetServerWriteKey(ssl_),
       wolfSSL_GetServerWriteIV(ssl_));
  take(is_server ? keys.receive : keys.send, client_key_, wolfSSL_GetClientWriteKey(ssl_),
       wolfSSL_GetClientWriteIV(ssl_));
  word64 sequence = 0;
  RINGWALL_CHECK(wolfSSL_GetSequenceNumber(ssl_, &sequence) >= 0);  // 1 where the number is 0
  keys.send.sequence = sequence;
  RINGWALL_CHECK(wolfSSL_GetPeerSequenceNumber(ssl_, &sequence) >= 0);
  keys.receive.sequence = sequence;
  if (has_explicit_nonce) {
    // wolfSSL began at random. The next ones follow, so that none comes twice under this key.
    std::ranges::copy(explicit_nonce_, keys.send.iv.begin() + 4);
    increment(std::span(keys.send.iv).subspan(4));
  }
  return keys;
}

std::string_view Handshaker::version() const {
  RINGWALL_CHECK(done_);
  return wolfSSL_get_version(ssl_);
}

std::string_view Handshaker::cipher_name() const {
  RINGWALL_CHECK(done_);
  return wolfSSL_get_cipher(ssl_);
}

std::string_view Handshaker::alpn() const {
  RINGWALL_CHECK(done_);
  char* protocol = nullptr;
  unsigned short size = 0;
  if (wolfSSL_ALPN_GetProtocol(ssl_, &protocol, &size) != WOLFSSL_SUCCESS || !protocol) return {};
  return {protocol, size};
}

bool Handshaker::resumed() const {
  RINGWALL_CHECK(done_);
  return wolfSSL_session_reused(ssl_) == 1;
}

}  // namespace ringwall::tls
