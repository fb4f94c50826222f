#include <ringwall/check.h>
#include <ringwall/tls/client_hello.h>
#include <ringwall/tls/post_handshake.h>

#include <algorithm>
#include <array>

namespace ringwall::tls {
namespace {

struct Row {
  Fault fault;
  FailureReason reason;
  std::uint8_t alert;  // 0: none is due
  std::string_view text;
};

using enum FailureReason;
constexpr std::array rows{
    Row{Fault::none, none, 0, ""},
    Row{Fault::peer_alert, peer_alert, 0, "the peer ended the connection with an alert"},
    Row{Fault::record_version, malformed, alert::decode_error, "a record of another TLS version"},
    Row{Fault::record_type, malformed, alert::unexpected_message, "a record of a type that may not come any more"},
    Row{Fault::record_too_long, malformed, alert::record_overflow, "a record longer than TLS allows"},
    Row{Fault::record_too_short, bad_record, alert::bad_record_mac, "a record too short to hold its tag"},
    Row{Fault::record_tag, bad_record, alert::bad_record_mac, "a record that does not decrypt"},
    Row{Fault::plaintext_too_long, malformed, alert::record_overflow, "a record with more plaintext than TLS allows"},
    Row{Fault::no_content_type, malformed, alert::unexpected_message, "a record of padding alone"},
    Row{Fault::sequence_exhausted, internal, alert::internal_error, "the record sequence numbers are used up"},
    Row{Fault::alert_empty, malformed, alert::unexpected_message, "an empty alert record"},
    Row{Fault::alert_malformed, malformed, alert::decode_error, "an alert that is not two bytes"},
    Row{Fault::alert_level, malformed, alert::illegal_parameter, "an alert that is neither warning nor fatal"},
    Row{Fault::handshake_empty, malformed, alert::unexpected_message, "an empty handshake record"},
    Row{Fault::handshake_interleaved, malformed, alert::unexpected_message,
        "another record inside a handshake message"},
    Row{Fault::handshake_message, malformed, alert::unexpected_message,
        "a handshake message that may not come after the handshake"},
    Row{Fault::key_update_length, malformed, alert::decode_error, "a KeyUpdate of a wrong length"},
    Row{Fault::key_update_value, malformed, alert::illegal_parameter, "a KeyUpdate that asks for something unknown"},
    Row{Fault::key_update_not_last, malformed, alert::unexpected_message, "a KeyUpdate before the end of its record"},
    Row{Fault::client_hello_too_large, renegotiation, alert::unexpected_message,
        "a renegotiation with too large a ClientHello"},
    Row{Fault::session_ticket_too_large, malformed, alert::unexpected_message, "too large a session ticket"},
    Row{Fault::idle_records, malformed, alert::unexpected_message, "too many records without data"},
    Row{Fault::idle_renegotiation, renegotiation, alert::unexpected_message,
        "a peer that goes on asking for renegotiation"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].fault) != i) return false;
  }
  return static_cast<std::size_t>(Fault::idle_renegotiation) + 1 == rows.size();
}
static_assert(in_order());

const Row& row(Fault fault) { return rows[static_cast<std::size_t>(fault)]; }

constexpr std::size_t handshake_header_bytes = 4;
constexpr std::uint8_t hello_request = 0, client_hello = 1, new_session_ticket = 4, key_update = 24;  // HandshakeType
constexpr std::uint8_t warning = 1, fatal = 2;                                                        // AlertLevel
constexpr std::uint8_t close_notify = 0, user_canceled = 90;            // AlertDescription
constexpr std::uint8_t update_not_requested = 0, update_requested = 1;  // KeyUpdateRequest
constexpr auto type_alert = static_cast<std::uint8_t>(ContentType::alert);
constexpr auto type_handshake = static_cast<std::uint8_t>(ContentType::handshake);
constexpr auto type_data = static_cast<std::uint8_t>(ContentType::application_data);

std::uint8_t number(std::byte byte) { return std::to_integer<std::uint8_t>(byte); }

// Of a handshake message's header.
std::size_t message_bytes(std::span<const std::byte> header) {
  return std::size_t{number(header[1])} << 16 | std::size_t{number(header[2])} << 8 | number(header[3]);
}

}  // namespace

PostHandshake::Due PostHandshake::fail(Fault fault) {
  RINGWALL_CHECK(fault != Fault::none);
  fault_ = fault;
  failure_.reason = row(fault).reason;
  if (row(fault).alert != 0) failure_.alert_sent = row(fault).alert;
  return Due::fail;
}

std::string_view PostHandshake::failure_text() const { return row(fault_).text; }

PostHandshake::Due PostHandshake::take(std::uint8_t type, std::span<const std::byte> plaintext) {
  RINGWALL_CHECK(fault_ == Fault::none);
  const bool cut = message_have_ > 0;
  if (cut && version_ == Version::tls13 && type != type_handshake) return fail(Fault::handshake_interleaved);
  if (type == type_data && !plaintext.empty()) {
    idle_records_ = 0;
    return Due::nothing;
  }
  if (++idle_records_ > idle_records_max) {
    const bool renegotiates = version_ == Version::tls12 && type == type_handshake;
    return fail(renegotiates ? Fault::idle_renegotiation : Fault::idle_records);
  }
  switch (type) {
    case type_data:
      return Due::nothing;
    case type_alert:
      return take_alert(plaintext);
    case type_handshake:
      if (plaintext.empty()) return fail(Fault::handshake_empty);
      return version_ == Version::tls13 ? take_tls13(plaintext) : take_tls12(plaintext);
    default:
      return fail(Fault::record_type);
  }
}

PostHandshake::Due PostHandshake::take_alert(std::span<const std::byte> plaintext) {
  if (plaintext.empty()) return fail(Fault::alert_empty);
  if (plaintext.size() != 2) return fail(Fault::alert_malformed);
  const std::uint8_t level = number(plaintext[0]), description = number(plaintext[1]);
  // In TLS 1.3 the description alone tells (RFC 8446 section 6).
  if (version_ == Version::tls12 && level != warning && level != fatal) return fail(Fault::alert_level);
  if (description == close_notify) return Due::closed;
  if (version_ == Version::tls13 ? description == user_canceled : level == warning) return Due::nothing;
  failure_.alert_received = description;
  return fail(Fault::peer_alert);
}

// The rest of a message that is to be ignored. True: it is over.
bool PostHandshake::skip(std::span<const std::byte>& plaintext) {
  const std::size_t skipped = std::min<std::size_t>(plaintext.size(), message_left_);
  plaintext = plaintext.subspan(skipped);
  message_left_ = static_cast<std::uint16_t>(message_left_ - skipped);
  if (message_left_ > 0) return false;
  message_have_ = 0;
  return true;
}

// Messages may be cut into several records, and several may share one.
PostHandshake::Due PostHandshake::take_tls13(std::span<const std::byte> plaintext) {
  while (!plaintext.empty()) {
    if (message_left_ > 0) {
      (void)skip(plaintext);
      continue;
    }
    message_[message_have_++] = plaintext[0];
    plaintext = plaintext.subspan(1);
    const bool is_ticket = role_ == Role::client && number(message_[0]) == new_session_ticket;
    if (!is_ticket && number(message_[0]) != key_update) return fail(Fault::handshake_message);
    if (message_have_ < handshake_header_bytes) continue;
    const std::size_t bytes = message_bytes(message_);
    if (!is_ticket) {
      if (bytes != 1) return fail(Fault::key_update_length);
      if (message_have_ == message_.size()) return take_key_update(plaintext);
      continue;
    }
    if (bytes > session_ticket_bytes_max) return fail(Fault::session_ticket_too_large);
    message_left_ = static_cast<std::uint16_t>(bytes);
    if (message_left_ == 0) message_have_ = 0;
  }
  return Due::nothing;
}

// It must end with its record: what follows is under another key (RFC 8446 section 5.1).
PostHandshake::Due PostHandshake::take_key_update(std::span<const std::byte> rest) {
  if (!rest.empty()) return fail(Fault::key_update_not_last);
  message_have_ = 0;
  switch (number(message_[handshake_header_bytes])) {
    case update_not_requested:
      return Due::update_receive;
    case update_requested:
      return Due::update_both;
    default:
      return fail(Fault::key_update_value);
  }
}

// What a ClientHello says does not matter: only where it ends, since it may take several records, between which data
// may come (RFC 5246 section 6.2.1). A HelloRequest says nothing.
PostHandshake::Due PostHandshake::take_tls12(std::span<const std::byte> plaintext) {
  const std::uint8_t request = role_ == Role::server ? client_hello : hello_request;
  const std::size_t bytes_max = role_ == Role::server ? client_hello_bytes_max : 0;
  Due due = Due::nothing;
  while (!plaintext.empty()) {
    if (message_have_ < handshake_header_bytes) {
      message_[message_have_++] = plaintext[0];
      plaintext = plaintext.subspan(1);
      if (number(message_[0]) != request) return fail(Fault::handshake_message);
      if (message_have_ < handshake_header_bytes) continue;
      if (message_bytes(message_) > bytes_max) {
        return fail(role_ == Role::server ? Fault::client_hello_too_large : Fault::handshake_message);
      }
      message_left_ = static_cast<std::uint16_t>(message_bytes(message_));
    }
    if (skip(plaintext)) due = Due::refuse_renegotiation;
  }
  return due;
}

}  // namespace ringwall::tls
