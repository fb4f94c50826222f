// What a client may not send, and the alert that it gets for it, as it reads it.
#include <ringwall/tls/records.h>

#include <algorithm>

#include "peer.h"
#include "record_peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using Buffer = std::vector<std::byte>;
using Progress = Records::Progress;
using test::Pair;
using test::Said;
using test::text_of;
using test::type_alert;
using test::type_data;
using test::type_handshake;

// Gives `wire` and expects the connection to fail for this reason, with this alert at the client.
void expect_refusal(Pair& pair, Buffer wire, FailureReason reason, std::optional<std::uint8_t> alert) {
  REQUIRE(pair.give(wire) == Progress::failed);
  CHECK(name(pair.records.failure().reason) == name(reason));
  CHECK(pair.records.failure().alert_sent == alert);
  CHECK(!pair.records.failure_text().empty());
  CHECK(pair.records.bytes_held() == 0);
  std::vector<Said> expected;
  if (alert) expected.push_back({type_alert, std::string{'\2', static_cast<char>(*alert)}});
  CHECK(pair.said() == expected);
  // Nothing more is said or heard.
  Buffer more = pair.peer.data("more");
  CHECK(pair.give(more) == Progress::failed);
  test::Sent sent;
  pair.records.close(sent);
  CHECK(sent.bytes.empty());
  CHECK(pair.text.empty());
}

Buffer header(int type, int version, std::size_t bytes) {
  Buffer record(5 + 100);
  record[0] = static_cast<std::byte>(type);
  record[1] = static_cast<std::byte>(version >> 8);
  record[2] = static_cast<std::byte>(version);
  record[3] = static_cast<std::byte>(bytes >> 8);
  record[4] = static_cast<std::byte>(bytes);
  return record;
}

TEST_CASE("headers are refused as soon as they are there, whole or byte by byte") {
  const struct {
    int type, version;
    std::size_t bytes13, bytes12;  // 0: not in this version
    FailureReason reason;
    std::uint8_t alert;
  } cases[] = {
      {0, 0x0303, 100, 100, FailureReason::malformed, alert::unexpected_message},
      {20, 0x0303, 100, 100, FailureReason::malformed, alert::unexpected_message},
      {21, 0x0303, 100, 0, FailureReason::malformed, alert::unexpected_message},
      {22, 0x0303, 100, 0, FailureReason::malformed, alert::unexpected_message},
      {24, 0x0303, 100, 100, FailureReason::malformed, alert::unexpected_message},
      {71, 0x4554, 100, 100, FailureReason::malformed, alert::unexpected_message},
      {23, 0x0301, 100, 100, FailureReason::malformed, alert::decode_error},
      {23, 0x0304, 100, 100, FailureReason::malformed, alert::decode_error},
      {23, 0x0203, 100, 100, FailureReason::malformed, alert::decode_error},
      {23, 0x0303, 16384 + 257, 16384 + 25, FailureReason::malformed, alert::record_overflow},
      {23, 0x0303, 65535, 65535, FailureReason::malformed, alert::record_overflow},
      {23, 0x0303, 15, 23, FailureReason::bad_record, alert::bad_record_mac},
      {23, 0x0303, 0, 1, FailureReason::bad_record, alert::bad_record_mac},
  };
  for (const auto& row : cases) {
    for (const test::Suite suite : {test::suite13, test::suite12}) {
      const bool tls13 = suite.version == Version::tls13;
      const std::size_t bytes = tls13 ? row.bytes13 : row.bytes12;
      if (bytes == 0) continue;
      INFO(tls13 << " " << row.type << " " << row.version << " " << bytes);
      const Buffer wire = header(row.type, row.version, bytes);
      Pair whole(suite);
      expect_refusal(whole, wire, row.reason, row.alert);
      Pair cut(suite);
      Buffer start(wire.begin(), wire.begin() + 4);
      REQUIRE(cut.give(start, 1) == Progress::need_input);
      expect_refusal(cut, Buffer(wire.begin() + 4, wire.begin() + 5), row.reason, row.alert);
    }
  }
}

TEST_CASE("the longest and the shortest records are taken") {
  for (const test::Suite suite : test::suites) {
    Pair pair(suite);
    Buffer wire = pair.peer.data(text_of(16384));
    const Buffer least = pair.peer.data("");
    wire.insert(wire.end(), least.begin(), least.end());
    CHECK(pair.give(wire) == Progress::need_input);
    CHECK(pair.text == text_of(16384));
  }
}

TEST_CASE("one wrong bit anywhere in a record ends the connection, and no plaintext leaves") {
  for (const test::Suite suite : test::suites) {
    const Buffer good = test::RecordPeer(test::keys_for(suite)).data("secret");
    for (std::size_t i = 5; i < good.size(); ++i) {
      INFO(int(suite.version) << " " << int(suite.cipher) << " byte " << i);
      Pair pair(suite);
      Buffer wrong = good;
      wrong[i] ^= std::byte{1};
      expect_refusal(pair, wrong, FailureReason::bad_record, alert::bad_record_mac);
    }
  }
}

TEST_CASE("where a tag is wrong, the decrypted bytes are wiped from the buffer") {
  for (const test::Suite suite : test::suites) {
    Pair pair(suite);
    Buffer wire = pair.peer.data("secret secret secret");
    wire.back() ^= std::byte{1};
    REQUIRE(pair.give(wire) == Progress::failed);
    CHECK(std::ranges::search(wire, test::as_bytes("secret")).empty());
    const std::size_t at = wire.size() - 16 - 20 - (suite.version == Version::tls13 ? 1 : 0);
    CHECK(std::ranges::count(std::span(wire).subspan(at, 20), std::byte{0}) == 20);
  }
}

TEST_CASE("a record that is left out, doubled or of the other direction does not decrypt") {
  for (const test::Suite suite : test::suites) {
    Pair left_out(suite);
    (void)left_out.peer.data("one");
    expect_refusal(left_out, left_out.peer.data("two"), FailureReason::bad_record, alert::bad_record_mac);
    Pair doubled(suite);
    const Buffer record = doubled.peer.data("");
    Buffer first = record;
    REQUIRE(doubled.give(first) == Progress::need_input);
    expect_refusal(doubled, record, FailureReason::bad_record, alert::bad_record_mac);
    Pair reflected(suite);
    const std::string ours = reflected.seal_text("ours");
    (void)reflected.peer.open(test::as_bytes(ours));
    expect_refusal(reflected, Buffer(test::as_bytes(ours).begin(), test::as_bytes(ours).end()),
                   FailureReason::bad_record, alert::bad_record_mac);
  }
}

TEST_CASE("TLS 1.3: what may not be inside a record") {
  const struct {
    std::string inner;
    std::uint8_t alert;
  } cases[] = {
      {"", alert::unexpected_message},                               // no type at all
      {std::string(100, '\0'), alert::unexpected_message},           // padding alone
      {std::string(16385, '\0'), alert::unexpected_message},         //
      {std::string(16385, 'x') + '\x17', alert::record_overflow},    // too much plaintext
      {"x\x17" + std::string(16384, '\0'), alert::record_overflow},  // with its padding too
      {"\x01\x14", alert::unexpected_message},                       // change_cipher_spec
      {std::string("x\0", 2) + '\x18', alert::unexpected_message},   // heartbeat
      {"\x15", alert::unexpected_message},                           // an empty alert
      {"\x16", alert::unexpected_message},                           // an empty handshake record
      {"\x01\x15", alert::decode_error},                             // half an alert
  };
  for (const auto& [inner, alert] : cases) {
    INFO(inner.size() << " bytes, " << alert_name(alert));
    Pair pair(test::suite13);
    expect_refusal(pair, pair.peer.seal_inner(type_data, inner), FailureReason::malformed, alert);
  }
}

TEST_CASE("TLS 1.3: no alert in plain is believed any more") {
  Pair pair(test::suite13);
  expect_refusal(pair, test::from_hex("15030300020228"), FailureReason::malformed, alert::unexpected_message);
}

TEST_CASE("a client's alert ends the connection without one of ours") {
  for (const test::Suite suite : {test::suite13, test::suite12}) {
    Pair pair(suite);
    expect_refusal(pair, pair.peer.seal(type_alert, "\x02\x28"), FailureReason::peer_alert, std::nullopt);
    CHECK(pair.records.failure().alert_received == 40);
  }
}

TEST_CASE("what the state machine refuses reaches the client as an alert") {
  Pair update(test::suite13);
  expect_refusal(update, update.peer.seal(type_handshake, std::string("\x18\0\0\x01\x02", 5)), FailureReason::malformed,
                 alert::illegal_parameter);
  Pair inside(test::suite13);
  Buffer cut = inside.peer.seal(type_handshake, std::string("\x18\0", 2));
  REQUIRE(inside.give(cut) == Progress::need_input);
  expect_refusal(inside, inside.peer.data("x"), FailureReason::malformed, alert::unexpected_message);
  Pair empty(test::suite12);
  for (unsigned i = 0; i < PostHandshake::idle_records_max; ++i) {
    Buffer wire = empty.peer.data("");
    REQUIRE(empty.give(wire) == Progress::need_input);
  }
  expect_refusal(empty, empty.peer.data(""), FailureReason::malformed, alert::unexpected_message);
}

TEST_CASE("after our close_notify nothing more is said, not even an alert") {
  for (const test::Suite suite : {test::suite13, test::suite12}) {
    Pair pair(suite);
    test::Sent sent;
    pair.records.close(sent);
    pair.records.close(sent);
    CHECK(pair.peer.open(sent.bytes) == std::vector<Said>{{type_alert, std::string("\1\0", 2)}});
    Buffer wire = pair.peer.data("still heard");
    REQUIRE(pair.give(wire) == Progress::need_input);
    CHECK(pair.text == "still heard");
    pair.text.clear();
    wire = pair.peer.data("x");
    wire.back() ^= std::byte{1};
    expect_refusal(pair, wire, FailureReason::bad_record, std::nullopt);
  }
}

TEST_CASE("a sequence number never wraps") {
  for (const test::Suite suite : test::suites) {
    Keys keys = test::keys_for(suite);
    keys.receive.sequence = UINT64_MAX - 1;
    Pair pair(keys);
    Buffer last = pair.peer.data("");
    REQUIRE(pair.give(last) == Progress::need_input);
    REQUIRE(pair.give(last) == Progress::failed);
    CHECK(pair.records.failure().reason == FailureReason::internal);
    CHECK(pair.said() == std::vector<Said>{{type_alert, "\x02\x50"}});
  }
}

}  // namespace
}  // namespace ringwall::tls
