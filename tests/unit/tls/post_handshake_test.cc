// The state machine for what comes beside data, by itself: both record layers use it.
#include <ringwall/tls/post_handshake.h>

#include "record_peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using Due = PostHandshake::Due;
using test::from_hex;
using test::type_alert;
using test::type_data;
using test::type_handshake;

struct Step {
  std::uint8_t type;
  std::string_view hex;
  Due due = Due::nothing;
};

// Takes the steps; the last may fail.
Failure run(Version version, std::initializer_list<Step> steps, Role role = Role::server) {
  PostHandshake state(version, role);
  for (const Step& step : steps) {
    INFO(int(step.type) << " " << step.hex);
    CHECK(state.take(step.type, from_hex(step.hex)) == step.due);
    CHECK(state.failure_text().empty() == (step.due != Due::fail));
  }
  return state.failure();
}

void expect(const Failure& failure, FailureReason reason, std::optional<std::uint8_t> alert) {
  CHECK(name(failure.reason) == name(reason));
  CHECK(failure.alert_sent == alert);
}

constexpr auto tls12 = Version::tls12, tls13 = Version::tls13;
constexpr std::string_view update = "1800000100", update_asking = "1800000101";

TEST_CASE("a KeyUpdate changes the client's key, and ours when it asks") {
  expect(run(tls13, {{type_handshake, update, Due::update_receive}, {type_handshake, update_asking, Due::update_both}}),
         FailureReason::none, {});
}

TEST_CASE("a KeyUpdate may be cut, but nothing comes between") {
  expect(run(tls13, {{type_handshake, "18"}, {type_handshake, "0000"}, {type_handshake, "0101", Due::update_both}}),
         FailureReason::none, {});
  for (const std::uint8_t type : {type_data, type_alert}) {
    expect(run(tls13, {{type_handshake, "180000"}, {type, "0100", Due::fail}}), FailureReason::malformed,
           alert::unexpected_message);
  }
}

TEST_CASE("of handshake messages a TLS 1.3 client may send a right KeyUpdate only, at its record's end") {
  const struct {
    std::string_view hex;
    std::uint8_t alert;
  } cases[] = {
      {"1800000102", alert::illegal_parameter},     // asks for something unknown
      {"18000001ff", alert::illegal_parameter},     //
      {"180000010018", alert::unexpected_message},  // not at the end
      {"18000001001800000100", alert::unexpected_message},
      {"18000002", alert::decode_error},  // of two bytes
      {"1800000200", alert::decode_error},
      {"18000000", alert::decode_error},
      {"1801000100", alert::decode_error},
      {"01", alert::unexpected_message},                // ClientHello
      {"0b00000400000000", alert::unexpected_message},  // Certificate
      {"", alert::unexpected_message},                  // RFC 8446 section 5.4
  };
  for (const auto& [hex, alert] : cases) {
    INFO(hex);
    expect(run(tls13, {{type_handshake, hex, Due::fail}}), FailureReason::malformed, alert);
  }
}

TEST_CASE("a TLS 1.3 client takes tickets, whole, in pieces and several a record, and ignores them") {
  const auto client = [](std::initializer_list<Step> steps) { return run(tls13, steps, Role::client); };
  expect(client({{type_handshake, "04000003aabbcc"},
                 {type_handshake, "04"},
                 {type_handshake, "0000"},
                 {type_handshake, "03aa"},
                 {type_handshake, "bbcc04000002aabb0400"},
                 {type_handshake, "0002aabb"},
                 {type_data, "68"},
                 {type_handshake, "04000002aabb1800000101", Due::update_both},
                 {type_handshake, "0400000018"},
                 {type_handshake, "00000100", Due::update_receive},
                 {type_alert, "0100", Due::closed}}),
         FailureReason::none, {});
  // Nothing comes inside one, whether its header is whole or not.
  for (const std::string_view part : {"0400", "04000003aa"}) {
    expect(client({{type_handshake, part}, {type_data, "68", Due::fail}}), FailureReason::malformed,
           alert::unexpected_message);
  }
  expect(client({{type_handshake, "0400400000"}}), FailureReason::none, {});
  expect(client({{type_handshake, "04004001", Due::fail}}), FailureReason::malformed, alert::unexpected_message);
  expect(client({{type_handshake, "180000010004000000", Due::fail}}), FailureReason::malformed,
         alert::unexpected_message);
  for (const std::string_view other : {"00000000", "01", "08", "0b", "0d", "14", "040000000d"}) {
    INFO(other);
    expect(client({{type_handshake, other, Due::fail}}), FailureReason::malformed, alert::unexpected_message);
  }
  expect(run(tls13, {{type_handshake, "04", Due::fail}}), FailureReason::malformed, alert::unexpected_message);
}

TEST_CASE("a TLS 1.2 client refuses a HelloRequest by a warning, and takes nothing else") {
  const auto client = [](std::initializer_list<Step> steps) { return run(tls12, steps, Role::client); };
  expect(client({{type_handshake, "00000000", Due::refuse_renegotiation},
                 {type_handshake, "0000"},
                 {type_data, "68"},
                 {type_handshake, "0000", Due::refuse_renegotiation},
                 {type_handshake, "0000000000000000", Due::refuse_renegotiation}}),
         FailureReason::none, {});
  for (const std::string_view other : {"01", "02", "04", "14", "18", "00000001", ""}) {
    INFO(other);
    expect(client({{type_handshake, other, Due::fail}}), FailureReason::malformed, alert::unexpected_message);
  }
}

TEST_CASE("TLS 1.2: a ClientHello is refused by a warning when it is whole") {
  expect(run(tls12, {{type_handshake, "01000003aabbcc", Due::refuse_renegotiation},
                     {type_handshake, "01"},
                     {type_handshake, "0000"},
                     {type_data, "68"},  // may come between (RFC 5246 section 6.2.1)
                     {type_handshake, "03aa"},
                     {type_handshake, "bbcc01000000", Due::refuse_renegotiation}}),
         FailureReason::none, {});
  expect(run(tls12, {{type_handshake, "01004001", Due::fail}}), FailureReason::renegotiation,
         alert::unexpected_message);
  expect(run(tls12, {{type_handshake, "0100400000"}, {type_handshake, "00"}}), FailureReason::none, {});
  for (const std::string_view other : {"00000000", "14", "18", ""}) {
    expect(run(tls12, {{type_handshake, other, Due::fail}}), FailureReason::malformed, alert::unexpected_message);
  }
}

TEST_CASE("TLS 1.2: who goes on asking for renegotiation is let go") {
  PostHandshake state(tls12);
  const auto hello = from_hex("0100000100");
  for (unsigned i = 0; i < PostHandshake::idle_records_max; ++i) {
    CHECK(state.take(type_handshake, hello) == Due::refuse_renegotiation);
  }
  CHECK(state.take(type_handshake, hello) == Due::fail);
  expect(state.failure(), FailureReason::renegotiation, alert::unexpected_message);
}

TEST_CASE("records without data are bounded, one after another") {
  const struct {
    Version version;
    std::uint8_t type;
    std::string_view hex;
  } cases[] = {{tls12, type_data, ""},
               {tls13, type_data, ""},
               {tls13, type_handshake, update},
               {tls12, type_alert, "0167"},
               {tls13, type_alert, "015a"}};
  for (const auto& [version, type, hex] : cases) {
    INFO(int(type) << " " << hex);
    PostHandshake state(version);
    const auto idle = from_hex(hex);
    for (int burst = 0; burst < 3; ++burst) {
      for (unsigned i = 0; i < PostHandshake::idle_records_max; ++i) REQUIRE(state.take(type, idle) != Due::fail);
      REQUIRE(state.take(type_data, from_hex("68")) == Due::nothing);
    }
    for (unsigned i = 0; i < PostHandshake::idle_records_max; ++i) REQUIRE(state.take(type, idle) != Due::fail);
    CHECK(state.take(type, idle) == Due::fail);
    expect(state.failure(), FailureReason::malformed, alert::unexpected_message);
  }
}

TEST_CASE("alerts: close_notify, what is ignored, and what ends the connection") {
  for (const Version version : {tls12, tls13}) {
    expect(run(version, {{type_alert, "0100", Due::closed}}), FailureReason::none, {});
    expect(run(version, {{type_alert, "015a"}}), FailureReason::none, {});  // user_canceled
    const Failure fatal = run(version, {{type_alert, "0228", Due::fail}});
    expect(fatal, FailureReason::peer_alert, {});
    CHECK(fatal.alert_received == 40);
    for (const std::string_view wrong : {"01", "010000",
                                         "0100"
                                         "0100"}) {
      expect(run(version, {{type_alert, wrong, Due::fail}}), FailureReason::malformed, alert::decode_error);
    }
    expect(run(version, {{type_alert, "", Due::fail}}), FailureReason::malformed, alert::unexpected_message);
  }
  // In TLS 1.3 the level says nothing; in TLS 1.2 it does, and has two values.
  expect(run(tls13, {{type_alert, "0700", Due::closed}}), FailureReason::none, {});
  CHECK(run(tls13, {{type_alert, "0167", Due::fail}}).alert_received == 0x67);
  expect(run(tls12, {{type_alert, "0167"}, {type_alert, "0164"}}), FailureReason::none, {});
  expect(run(tls12, {{type_alert, "0300", Due::fail}}), FailureReason::malformed, alert::illegal_parameter);
}

TEST_CASE("no other type comes after a handshake") {
  for (const Version version : {tls12, tls13}) {
    for (const int type : {0, 20, 24, 255}) {
      expect(run(version, {{static_cast<std::uint8_t>(type), "01", Due::fail}}), FailureReason::malformed,
             alert::unexpected_message);
    }
  }
}

TEST_CASE("what a record layer finds is told in the same words, and an alert may be withheld") {
  PostHandshake state(tls13);
  CHECK(state.fail(Fault::record_tag) == Due::fail);
  expect(state.failure(), FailureReason::bad_record, alert::bad_record_mac);
  CHECK(state.failure_text() == "a record that does not decrypt");
  state.withhold_alert();
  expect(state.failure(), FailureReason::bad_record, {});
}

}  // namespace
}  // namespace ringwall::tls
