#include <ringwall/tls/handshake.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <ringwall/check.h>

#include "big_endian.h"
#include "entry.h"
#include "reason.h"

namespace ringwall::tls {

class Handshake::Lease {
 public:
  Lease(Handshake& handshake, std::span<const std::byte>* in, Output& out) : handshake_(handshake) {
    RINGWALL_CHECK(!handshake.out_);
    handshake.in_ = in;
    handshake.out_ = &out;
  }
  ~Lease() {
    handshake_.in_ = nullptr;
    handshake_.out_ = nullptr;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

 private:
  Handshake& handshake_;
};

Handshake::Handshake(const Context& context) : context_(context) {}

Handshake::~Handshake() { wolfSSL_free(ssl_); }

int Handshake::receive(WOLFSSL*, char* to, int size, void* handshake) {
  auto& self = *static_cast<Handshake*>(handshake);
  const auto wanted = static_cast<std::size_t>(size);
  if (const auto record = self.hello_.record(); self.hello_given_ < record.size()) {
    const std::size_t given = std::min(wanted, record.size() - self.hello_given_);
    std::memcpy(to, record.data() + self.hello_given_, given);
    self.hello_given_ += given;
    self.watch_input(record.subspan(self.hello_given_ - given, given));
    return static_cast<int>(given);
  }
  if (!self.in_ || self.in_->empty()) return WOLFSSL_CBIO_ERR_WANT_READ;
  const std::size_t given = std::min(wanted, self.in_->size());
  std::memcpy(to, self.in_->data(), given);
  self.watch_input(self.in_->first(given));
  *self.in_ = self.in_->subspan(given);
  return static_cast<int>(given);
}

int Handshake::send(WOLFSSL*, char* from, int size, void* handshake) {
  auto& self = *static_cast<Handshake*>(handshake);
  // wolfSSL sends nothing by itself, so there is always a call of ours that lent the output.
  RINGWALL_CHECK(self.out_);
  const std::span<const std::byte> sent = std::as_bytes(std::span(from, static_cast<std::size_t>(size)));
  self.watch_output(sent);
  self.out_->append(sent);
  self.answered_ = true;
  return size;
}

int Handshake::keep_secret(WOLFSSL*, int id, const unsigned char* secret, int size, void* handshake) {
  auto& self = *static_cast<Handshake*>(handshake);
  if (id != CLIENT_TRAFFIC_SECRET && id != SERVER_TRAFFIC_SECRET) return 0;
  std::array<std::byte, 48>& to = (id == CLIENT_TRAFFIC_SECRET ? self.client_key_ : self.server_key_).secret;
  RINGWALL_CHECK(size > 0 && static_cast<std::size_t>(size) <= to.size());
  std::memcpy(to.data(), secret, static_cast<std::size_t>(size));
  return 0;
}

// Follows the record headers in what wolfSSL reads.
void Handshake::watch_input(std::span<const std::byte> given) {
  for (const std::byte byte : given) {
    if (record_left_ > 0) {
      --record_left_;
      continue;
    }
    if (record_header_have_ == record_header_.size()) record_header_have_ = 0;
    record_header_[record_header_have_++] = byte;
    if (record_header_have_ == record_header_.size()) {
      record_left_ =
          std::to_integer<std::size_t>(record_header_[3]) << 8 | std::to_integer<std::size_t>(record_header_[4]);
    }
  }
}

// wolfSSL sends whole records, one or several a call.
void Handshake::watch_output(std::span<const std::byte> sent) {
  while (sent.size() > record_header_.size()) {
    const std::size_t size = std::to_integer<std::size_t>(sent[3]) << 8 | std::to_integer<std::size_t>(sent[4]);
    const std::span<const std::byte> record = sent.subspan(record_header_.size());
    if (record.size() < size) return;
    if (size >= explicit_nonce_.size())
      std::ranges::copy(record.first(explicit_nonce_.size()), explicit_nonce_.begin());
    sent = record.subspan(size);
  }
}

// OpenSSL's clients tell in plain that they refuse our TLS 1.3 certificate, since they have no keys to send with yet.
// wolfSSL 5.5.4 stops at the header of such an alert; its two bytes are still in the input.
void Handshake::notice_plain_alert() {
  const bool alert = record_header_have_ == record_header_.size() && record_header_[0] == std::byte{21} &&
                     record_left_ == 2 && record_header_[4] == std::byte{2};
  if (failure_.alert_received || !alert || in_->size() < 2) return;
  failure_.alert_received = std::to_integer<std::uint8_t>((*in_)[1]);
  *in_ = in_->subspan(2);
}

std::size_t Handshake::input_left() const { return hello_.record().size() - hello_given_ + in_->size(); }

Handshake::Progress Handshake::refuse(FailureReason reason, std::string text, std::optional<std::uint8_t> alert,
                                      Output& out) {
  if (alert) {
    // Not encrypted: nothing has been agreed yet. Record version 1.2, level fatal.
    const std::array<std::uint8_t, 7> record{21, 3, 3, 0, 2, 2, *alert};
    out.append(std::as_bytes(std::span(record)));
  }
  failure_ = Failure{reason, alert, std::nullopt};
  failure_text_ = std::move(text);
  return Progress::failed;
}

Handshake::Progress Handshake::advance(std::span<const std::byte>& in, Output& out) {
  RINGWALL_CHECK(!done_);
  RINGWALL_CHECK(failure_.reason == FailureReason::none);
  if (!ssl_) {
    switch (hello_.consume(in)) {
      case HelloReader::Status::need_input:
        return Progress::need_input;
      case HelloReader::Status::refused:
        return refuse(hello_.reason(), hello_.text(), hello_.alert(), out);
      case HelloReader::Status::complete:
        break;
    }
    if (const Progress begun = begin(out); begun == Progress::failed) return begun;
  }
  return accept(in, out);
}

// The ClientHello is whole: chooses the certificate and hands over to wolfSSL.
Handshake::Progress Handshake::begin(Output& out) {
  const auto hello = parse_client_hello(hello_.message());
  if (!hello) return refuse(FailureReason::malformed, "a ClientHello that can't be read", alert::decode_error, out);
  server_name_ = hello->server_name;
  if (!hello->tls12 && !hello->tls13) {
    return refuse(FailureReason::protocol_version, "the client offers neither TLS 1.2 nor TLS 1.3",
                  alert::protocol_version, out);
  }
  if (hello->alpn && !hello->alpn_http11) {
    return refuse(FailureReason::no_application_protocol, "the client offers ALPN protocols, but not http/1.1",
                  alert::no_application_protocol, out);
  }
  // wolfSSL would ask for a key share of a group that the client has not offered.
  if (!hello->group) {
    return refuse(FailureReason::no_shared_cipher, "the client offers neither X25519 nor P-256",
                  alert::handshake_failure, out);
  }
  entry_ = &context_.choose(*hello);
  ssl_ = wolfSSL_new(entry_->wolfssl_for(hello->tls13));
  char protocol[] = "http/1.1";
  if (!ssl_ ||
      wolfSSL_UseALPN(ssl_, protocol, sizeof protocol - 1, WOLFSSL_ALPN_CONTINUE_ON_MISMATCH) != WOLFSSL_SUCCESS) {
    return refuse(FailureReason::internal, "out of memory for a TLS connection", alert::internal_error, out);
  }
  wolfSSL_SSLSetIORecv(ssl_, &Handshake::receive);
  wolfSSL_SSLSetIOSend(ssl_, &Handshake::send);
  wolfSSL_SetIOReadCtx(ssl_, this);
  wolfSSL_SetIOWriteCtx(ssl_, this);
  wolfSSL_set_tls13_secret_cb(ssl_, &Handshake::keep_secret, this);
  return Progress::need_input;
}

Handshake::Progress Handshake::accept(std::span<const std::byte>& in, Output& out) {
  const Lease lease(*this, &in, out);
  for (;;) {
    const std::size_t before = input_left();
    const int result = wolfSSL_accept(ssl_);
    if (hello_given_ == hello_.record().size()) {
      hello_.release();
      hello_given_ = 0;
    }
    if (result == WOLFSSL_SUCCESS) {
      done_ = true;
      return Progress::done;
    }
    const int error = wolfSSL_get_error(ssl_, result);
    if (error != WOLFSSL_ERROR_WANT_READ) {
      const Progress failed = fail_with(error);
      if (!answered_) {
        return refuse(failure_.reason, std::move(failure_text_), alert_for(failure_.reason), out);
      }
      return failed;
    }
    if (input_left() == 0) return Progress::need_input;
    if (input_left() == before) return fail_with(WOLFSSL_ERROR_WANT_READ);
  }
}

Handshake::Progress Handshake::fail_with(int error) {
  WOLFSSL_ALERT_HISTORY alerts{};
  wolfSSL_get_alert_history(ssl_, &alerts);
  const auto seen = [](const WOLFSSL_ALERT& alert) -> std::optional<std::uint8_t> {
    if (alert.code < 0) return std::nullopt;
    return static_cast<std::uint8_t>(alert.code);
  };
  failure_.alert_received = seen(alerts.last_rx);
  failure_.alert_sent = seen(alerts.last_tx);
  notice_plain_alert();
  failure_.reason = reason_for(error, failure_.alert_received);
  failure_text_ = text_for(error, failure_);
  return Progress::failed;
}

Keys Handshake::keys() const {
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
  take(keys.send, server_key_, wolfSSL_GetServerWriteKey(ssl_), wolfSSL_GetServerWriteIV(ssl_));
  take(keys.receive, client_key_, wolfSSL_GetClientWriteKey(ssl_), wolfSSL_GetClientWriteIV(ssl_));
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

std::string_view Handshake::version() const {
  RINGWALL_CHECK(done_);
  return wolfSSL_get_version(ssl_);
}

std::string_view Handshake::cipher_name() const {
  RINGWALL_CHECK(done_);
  return wolfSSL_get_cipher(ssl_);
}

std::string_view Handshake::alpn() const {
  RINGWALL_CHECK(done_);
  char* protocol = nullptr;
  unsigned short size = 0;
  if (wolfSSL_ALPN_GetProtocol(ssl_, &protocol, &size) != WOLFSSL_SUCCESS || !protocol) return {};
  return {protocol, size};
}

bool Handshake::resumed() const {
  RINGWALL_CHECK(done_);
  return wolfSSL_session_reused(ssl_) == 1;
}

const Identity& Handshake::certificate() const {
  RINGWALL_CHECK(entry_);
  return entry_->identity;
}

}  // namespace ringwall::tls
