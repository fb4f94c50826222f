#include <ringwall/tls/handshake.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <ringwall/check.h>

#include "entry.h"
#include "lease.h"
#include "reason.h"

namespace ringwall::tls {

Handshake::Handshake(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

std::size_t Handshake::read(std::span<std::byte> to) {
  if (const auto record = hello_.record(); hello_given_ < record.size()) {
    const std::size_t given = std::min(to.size(), record.size() - hello_given_);
    std::memcpy(to.data(), record.data() + hello_given_, given);
    hello_given_ += given;
    watch_input(record.subspan(hello_given_ - given, given));
    return given;
  }
  return read_input(to);
}

// OpenSSL's clients tell in plain that they refuse our TLS 1.3 certificate, since they have no keys to send with yet.
// wolfSSL 5.5.4 stops at the header of such an alert; its two bytes are still in the input.
std::optional<std::uint8_t> Handshake::plain_alert() {
  const bool is_alert = record_header_have_ == record_header_.size() && record_header_[0] == std::byte{21} &&
                        record_left_ == 2 && record_header_[4] == std::byte{2};
  if (!is_alert || in_->size() < 2) return std::nullopt;
  const auto alert = std::to_integer<std::uint8_t>((*in_)[1]);
  *in_ = in_->subspan(2);
  return alert;
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
  entry_ = &context_->choose(*hello);
  WOLFSSL* const ssl = wolfSSL_new(entry_->wolfssl_for(hello->tls13));
  if (ssl) attach(ssl);
  char protocol[] = "http/1.1";
  if (!ssl ||
      wolfSSL_UseALPN(ssl, protocol, sizeof protocol - 1, WOLFSSL_ALPN_CONTINUE_ON_MISMATCH) != WOLFSSL_SUCCESS) {
    return refuse(FailureReason::internal, "out of memory for a TLS connection", alert::internal_error, out);
  }
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
      const Progress failed = fail_with(error, plain_alert());
      if (!answered_) {
        return refuse(failure_.reason, std::move(failure_text_), alert_for(failure_.reason), out);
      }
      return failed;
    }
    if (input_left() == 0) return Progress::need_input;
    if (input_left() == before) return fail_with(WOLFSSL_ERROR_WANT_READ);
  }
}

const Identity& Handshake::certificate() const {
  RINGWALL_CHECK(entry_);
  return entry_->identity;
}

}  // namespace ringwall::tls
