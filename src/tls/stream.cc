#include <ringwall/tls/stream.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <utility>

#include <ringwall/check.h>

#include "entry.h"
#include "reason.h"

namespace ringwall::tls {

class Stream::Lease {
 public:
  Lease(Stream& stream, std::span<const std::byte>* in, Output& out) : stream_(stream) {
    RINGWALL_CHECK(!stream.out_);
    stream.in_ = in;
    stream.out_ = &out;
  }
  ~Lease() {
    stream_.in_ = nullptr;
    stream_.out_ = nullptr;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

 private:
  Stream& stream_;
};

Stream::Stream(const Context& context) : context_(context) {}

Stream::~Stream() { wolfSSL_free(ssl_); }

int Stream::receive(WOLFSSL*, char* to, int size, void* stream) {
  auto& self = *static_cast<Stream*>(stream);
  const auto wanted = static_cast<std::size_t>(size);
  if (const auto record = self.hello_.record(); self.hello_given_ < record.size()) {
    const std::size_t given = std::min(wanted, record.size() - self.hello_given_);
    std::memcpy(to, record.data() + self.hello_given_, given);
    self.hello_given_ += given;
    self.watch(record.subspan(self.hello_given_ - given, given));
    return static_cast<int>(given);
  }
  if (!self.in_ || self.in_->empty()) return WOLFSSL_CBIO_ERR_WANT_READ;
  const std::size_t given = std::min(wanted, self.in_->size());
  std::memcpy(to, self.in_->data(), given);
  if (!self.ready_) self.watch(self.in_->first(given));
  *self.in_ = self.in_->subspan(given);
  return static_cast<int>(given);
}

int Stream::send(WOLFSSL*, char* from, int size, void* stream) {
  auto& self = *static_cast<Stream*>(stream);
  // wolfSSL sends nothing by itself, so there is always a call of ours that lent the output.
  RINGWALL_CHECK(self.out_);
  self.out_->append(std::as_bytes(std::span(from, static_cast<std::size_t>(size))));
  self.answered_ = true;
  return size;
}

// Follows the record headers in what wolfSSL reads.
void Stream::watch(std::span<const std::byte> given) {
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

// OpenSSL's clients tell in plain that they refuse our TLS 1.3 certificate, since they have no keys to send with yet.
// wolfSSL 5.5.4 stops at the header of such an alert; its two bytes are still in the input.
void Stream::notice_plain_alert() {
  const bool alert = record_header_have_ == record_header_.size() && record_header_[0] == std::byte{21} &&
                     record_left_ == 2 && record_header_[4] == std::byte{2};
  if (failure_.alert_received || !alert || in_->size() < 2) return;
  failure_.alert_received = std::to_integer<std::uint8_t>((*in_)[1]);
  *in_ = in_->subspan(2);
}

std::size_t Stream::input_left() const { return hello_.record().size() - hello_given_ + in_->size(); }

Progress Stream::refuse(FailureReason reason, std::string text, std::optional<std::uint8_t> alert, Output& out) {
  if (alert) {
    // Not encrypted: nothing has been agreed yet. Record version 1.2, level fatal.
    const std::array<std::uint8_t, 7> record{21, 3, 3, 0, 2, 2, *alert};
    out.append(std::as_bytes(std::span(record)));
  }
  failure_ = Failure{reason, alert, std::nullopt, std::move(text)};
  return Progress::failed;
}

Progress Stream::handshake(std::span<const std::byte>& in, Output& out) {
  RINGWALL_CHECK(!ready_);
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
Progress Stream::begin(Output& out) {
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
  wolfSSL_SSLSetIORecv(ssl_, &Stream::receive);
  wolfSSL_SSLSetIOSend(ssl_, &Stream::send);
  wolfSSL_SetIOReadCtx(ssl_, this);
  wolfSSL_SetIOWriteCtx(ssl_, this);
  return Progress::need_input;
}

Progress Stream::accept(std::span<const std::byte>& in, Output& out) {
  const Lease lease(*this, &in, out);
  for (;;) {
    const std::size_t before = input_left();
    const int result = wolfSSL_accept(ssl_);
    if (hello_given_ == hello_.record().size()) {
      hello_.release();
      hello_given_ = 0;
    }
    if (result == WOLFSSL_SUCCESS) {
      ready_ = true;
      return Progress::done;
    }
    const int error = wolfSSL_get_error(ssl_, result);
    if (error != WOLFSSL_ERROR_WANT_READ) {
      const Progress failed = fail_with(error);
      if (!answered_) {
        return refuse(failure_.reason, std::move(failure_.text), alert_for(failure_.reason), out);
      }
      return failed;
    }
    if (input_left() == 0) return Progress::need_input;
    if (input_left() == before) return fail_with(WOLFSSL_ERROR_WANT_READ);
  }
}

Progress Stream::read(std::span<const std::byte>& in, std::span<std::byte> plaintext, std::size_t& n, Output& out) {
  RINGWALL_CHECK(ready_);
  RINGWALL_CHECK(failure_.reason == FailureReason::none);
  RINGWALL_CHECK(!plaintext.empty());
  const Lease lease(*this, &in, out);
  n = 0;
  while (n < plaintext.size()) {
    const std::size_t before = in.size();
    const auto room = static_cast<int>(std::min<std::size_t>(plaintext.size() - n, INT_MAX));
    const int result = wolfSSL_read(ssl_, plaintext.data() + n, room);
    if (result > 0) {
      n += static_cast<std::size_t>(result);
      continue;
    }
    const int error = wolfSSL_get_error(ssl_, result);
    if (error == WOLFSSL_ERROR_ZERO_RETURN) return Progress::closed;
    if (error != WOLFSSL_ERROR_WANT_READ) return fail_with(error);
    if (in.empty()) return Progress::need_input;
    if (in.size() == before) return fail_with(error);
  }
  return Progress::done;
}

bool Stream::write(std::span<const std::byte> plaintext, Output& out) {
  RINGWALL_CHECK(ready_);
  RINGWALL_CHECK(failure_.reason == FailureReason::none);
  RINGWALL_CHECK(!close_sent_);
  const Lease lease(*this, nullptr, out);
  while (!plaintext.empty()) {
    const int result =
        wolfSSL_write(ssl_, plaintext.data(), static_cast<int>(std::min<std::size_t>(plaintext.size(), INT_MAX)));
    if (result <= 0) {
      (void)fail_with(wolfSSL_get_error(ssl_, result));
      return false;
    }
    plaintext = plaintext.subspan(static_cast<std::size_t>(result));
  }
  return true;
}

void Stream::close(Output& out) {
  if (!ready_ || close_sent_ || failure_.reason != FailureReason::none) return;
  const Lease lease(*this, nullptr, out);
  close_sent_ = true;
  wolfSSL_shutdown(ssl_);  // its result tells of the other side's close_notify, for which nobody waits
}

Progress Stream::fail_with(int error) {
  WOLFSSL_ALERT_HISTORY alerts{};
  wolfSSL_get_alert_history(ssl_, &alerts);
  const auto seen = [](const WOLFSSL_ALERT& alert) -> std::optional<std::uint8_t> {
    if (alert.code < 0) return std::nullopt;
    return static_cast<std::uint8_t>(alert.code);
  };
  failure_.alert_received = seen(alerts.last_rx);
  failure_.alert_sent = seen(alerts.last_tx);
  if (!ready_) notice_plain_alert();
  failure_.reason = reason_for(error, failure_.alert_received, ready_);
  failure_.text = text_for(error, failure_);
  return Progress::failed;
}

std::string_view Stream::version() const {
  RINGWALL_CHECK(ready_);
  return wolfSSL_get_version(ssl_);
}

std::string_view Stream::cipher_name() const {
  RINGWALL_CHECK(ready_);
  return wolfSSL_get_cipher(ssl_);
}

std::string_view Stream::alpn() const {
  RINGWALL_CHECK(ready_);
  char* protocol = nullptr;
  unsigned short size = 0;
  if (wolfSSL_ALPN_GetProtocol(ssl_, &protocol, &size) != WOLFSSL_SUCCESS || !protocol) return {};
  return {protocol, size};
}

bool Stream::resumed() const {
  RINGWALL_CHECK(ready_);
  return wolfSSL_session_reused(ssl_) == 1;
}

const Identity& Stream::certificate() const {
  RINGWALL_CHECK(entry_);
  return entry_->identity;
}

}  // namespace ringwall::tls
