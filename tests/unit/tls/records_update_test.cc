// Keys that change under way, renegotiation that is refused, and the two ends of a connection.
#include <ringwall/tls/records.h>

#include "peer.h"
#include "record_peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using Buffer = std::vector<std::byte>;
using Progress = Records::Progress;
using test::Pair;
using test::Said;
using test::type_alert;
using test::type_data;
using test::type_handshake;

const std::string key_update("\x18\0\0\x01\0", 5), key_update_asking("\x18\0\0\x01\x01", 5);
const std::vector<Said> our_update{{type_handshake, key_update}};

void append(Buffer& to, const Buffer& more) { to.insert(to.end(), more.begin(), more.end()); }

TEST_CASE("a client's KeyUpdate: what follows is under its next key, in the same buffer or a later one") {
  for (const test::Suite suite : test::suites) {
    if (suite.version != Version::tls13) continue;
    for (const std::size_t step : {SIZE_MAX, std::size_t{1}}) {
      Pair pair(suite);
      Buffer wire = pair.peer.data("old ");
      for (const char* text : {"new ", "newer ", "newest"}) {
        append(wire, pair.peer.seal(type_handshake, key_update));
        pair.peer.advance_send();
        append(wire, pair.peer.data(text));
      }
      REQUIRE(pair.give(wire, step) == Progress::need_input);
      CHECK(pair.text == "old new newer newest");
      CHECK(pair.out.empty());
      CHECK(pair.records.keys().receive.sequence == 1);
    }
  }
}

TEST_CASE("a KeyUpdate that asks for ours is answered under the old key, and the next key is used from there on") {
  for (const test::Suite suite : test::suites) {
    if (suite.version != Version::tls13) continue;
    Pair pair(suite);
    (void)pair.peer.open(test::as_bytes(pair.seal_text("before")));
    Buffer wire = pair.peer.seal(type_handshake, key_update_asking);
    pair.peer.advance_send();
    append(wire, pair.peer.data("after"));
    REQUIRE(pair.give(wire) == Progress::need_input);
    CHECK(pair.text == "after");
    CHECK(pair.said() == our_update);
    CHECK(pair.records.records_sealed() == 0);
    pair.peer.advance_receive();
    CHECK(pair.peer.open(test::as_bytes(pair.seal_text("new"))) == std::vector<Said>{{type_data, "new"}});
    CHECK(pair.records.records_sealed() == 1);
  }
}

TEST_CASE("a record under the old key after a KeyUpdate does not decrypt") {
  Pair pair(test::suite13);
  Buffer wire = pair.peer.seal(type_handshake, key_update);
  append(wire, pair.peer.data("old"));
  CHECK(pair.give(wire) == Progress::failed);
  CHECK(pair.records.failure().alert_sent == alert::bad_record_mac);
  CHECK(pair.text.empty());
}

TEST_CASE("we change our key by ourselves") {
  for (const test::Suite suite : test::suites) {
    if (suite.version != Version::tls13) continue;
    Pair pair(suite);
    for (const char* text : {"one", "two", "three"}) {
      test::Sent sent;
      pair.records.update_send_key(sent);
      CHECK(pair.peer.open(sent.bytes) == our_update);
      pair.peer.advance_receive();
      CHECK(pair.peer.open(test::as_bytes(pair.seal_text(text))) == std::vector<Said>{{type_data, text}});
    }
    Buffer wire = pair.peer.data("the client's key is as it was");
    REQUIRE(pair.give(wire) == Progress::need_input);
    CHECK(pair.text == "the client's key is as it was");
  }
}

TEST_CASE("after our close_notify a KeyUpdate is heard, but not answered") {
  Pair pair(test::suite13);
  test::Sent sent;
  pair.records.close(sent);
  Buffer wire = pair.peer.seal(type_handshake, key_update_asking);
  pair.peer.advance_send();
  append(wire, pair.peer.data("heard"));
  REQUIRE(pair.give(wire) == Progress::need_input);
  CHECK(pair.text == "heard");
  CHECK(pair.out.empty());
  pair.records.update_send_key(sent);
  CHECK(pair.peer.open(sent.bytes).size() == 1);
}

TEST_CASE("after our close_notify a renegotiation is not answered either") {
  Pair pair(test::suite12);
  test::Sent sent;
  pair.records.close(sent);
  Buffer wire = pair.peer.seal(type_handshake, std::string("\1\0\0\2hi", 6));
  append(wire, pair.peer.data("heard"));
  REQUIRE(pair.give(wire) == Progress::need_input);
  CHECK(pair.text == "heard");
  CHECK(pair.out.empty());
}

TEST_CASE("after a KeyUpdate the old key is nowhere in the connection") {
  Pair pair(test::suite13);
  const Keys old = pair.records.keys();
  Buffer wire = pair.peer.seal(type_handshake, key_update_asking);
  REQUIRE(pair.give(wire) == Progress::need_input);
  const auto memory = std::as_bytes(std::span(&pair.records, 1));
  for (const Key* key : {&old.send, &old.receive}) {
    CHECK(std::ranges::search(memory, std::span(key->key).first(8)).empty());
    CHECK(std::ranges::search(memory, std::span(key->secret).first(8)).empty());
  }
}

TEST_CASE("TLS 1.2: renegotiation is refused by a warning, and data goes on") {
  for (const test::Suite suite : test::suites) {
    if (suite.version != Version::tls12) continue;
    Pair pair(suite);
    const std::string hello = std::string("\1\0\1\0", 4) + test::text_of(256);
    Buffer wire = pair.peer.data("before, ");
    append(wire, pair.peer.seal(type_handshake, hello));
    append(wire, pair.peer.data("between, "));
    append(wire, pair.peer.seal(type_handshake, hello.substr(0, 3)));
    append(wire, pair.peer.seal(type_handshake, hello.substr(3)));
    append(wire, pair.peer.data("after"));
    REQUIRE(pair.give(wire) == Progress::need_input);
    CHECK(pair.text == "before, between, after");
    const Said warning{type_alert, "\x01\x64"};
    CHECK(pair.said() == std::vector<Said>{warning, warning});
    CHECK(pair.peer.open(test::as_bytes(pair.seal_text("ours"))) == std::vector<Said>{{type_data, "ours"}});
  }
}

TEST_CASE("close_notify: what follows it stays where it is, and we may go on sending") {
  for (const test::Suite suite : test::suites) {
    Pair pair(suite);
    Buffer wire = pair.peer.data("last");
    append(wire, pair.peer.seal(type_alert, std::string("\1\0", 2)));
    const std::size_t until = wire.size();
    append(wire, test::from_hex("0102030405060708"));
    std::span<std::byte> in = wire;
    test::Sent sent;
    Records::Opened opened;
    REQUIRE(pair.records.open(in, opened, sent) == Progress::plaintext);
    CHECK(test::as_text(opened.plaintext) == "last");
    for (int twice = 0; twice < 2; ++twice) {
      REQUIRE(pair.records.open(in, opened, sent) == Progress::closed);
      CHECK(in.size() == wire.size() - until);
    }
    CHECK(sent.bytes.empty());
    CHECK(pair.records.failure().reason == FailureReason::none);
    CHECK(pair.peer.open(test::as_bytes(pair.seal_text("half"))) == std::vector<Said>{{type_data, "half"}});
  }
}

}  // namespace
}  // namespace ringwall::tls
