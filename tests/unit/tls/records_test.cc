// Data through the record layer: in and out, whole and cut, against OpenSSL's AEADs.
#include <ringwall/tls/records.h>

#include <algorithm>
#include <optional>
#include <set>

#include "peer.h"
#include "record_peer.h"
#include "tls/aead.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using Buffer = std::vector<std::byte>;
using Progress = Records::Progress;
using test::from_hex;
using test::Pair;
using test::text_of;

void append(Buffer& to, const Buffer& more) { to.insert(to.end(), more.begin(), more.end()); }

// Section 3, "Simple 1-RTT Handshake": keys and iv as printed there for the application traffic.
Keys rfc8448_keys() {
  Keys keys;
  const auto set = [](Key& key, std::string_view secret, std::string_view key_hex, std::string_view iv) {
    std::ranges::copy(from_hex(secret), key.secret.begin());
    std::ranges::copy(from_hex(key_hex), key.key.begin());
    std::ranges::copy(from_hex(iv), key.iv.begin());
  };
  set(keys.receive, "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
      "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9");
  set(keys.send, "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643", "9f02283b6c9c07efc26bb9f2ac92e356",
      "cf782b88dd83549aadf1e984");
  keys.send.sequence = 1;  // after the ticket
  return keys;
}

TEST_CASE("RFC 8448: the records of its trace are opened and sealed to the byte") {
  const Keys keys = rfc8448_keys();
  for (const Key* key : {&keys.receive, &keys.send}) {
    CHECK(std::ranges::equal(test::expand_label(std::span(key->secret).first(32), "key", 16, Hash::sha256),
                             std::span(key->key).first(16)));
    CHECK(std::ranges::equal(test::expand_label(std::span(key->secret).first(32), "iv", 12, Hash::sha256), key->iv));
  }
  std::string data;
  for (char i = 0; i < 50; ++i) data += i;
  for (const bool ipsec_mb : {true, false}) {
    KeySchedules schedules(ipsec_mb && make_ipsec_mb() ? make_ipsec_mb : make_wolfcrypt);
    Records records(keys, schedules);
    Buffer wire = from_hex(
        "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b"
        "62974e1f5a6292a2977014bd1e3deae63aeebb21694915e41703030013c9872760655666b74d7ff1153efd6db6d0b0e3");
    std::span<std::byte> in = wire;
    Records::Opened opened;
    test::Sent sent;
    REQUIRE(records.open(in, opened, sent) == Progress::plaintext);
    CHECK(test::as_text(opened.plaintext) == data);
    CHECK(!opened.memory);
    CHECK(records.open(in, opened, sent) == Progress::closed);
    CHECK(in.empty());

    Buffer out(200);
    const std::array pieces{test::as_bytes(data)};
    out.resize(records.seal(pieces, out));
    CHECK(out == from_hex("17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb50"
                          "1a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d"));
    records.close(sent);
    CHECK(sent.bytes == from_hex("1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9"));
  }
}

TEST_CASE("data of any size comes through both ways, with each suite") {
  for (const test::Suite suite : test::suites) {
    Pair pair(suite);
    std::string sent;
    for (const std::size_t size : {1, 2, 15, 16, 100, 1000, 4096, 16383, 16384}) {
      INFO(int(suite.version) << " " << int(suite.cipher) << " " << size);
      Buffer wire = pair.peer.data(text_of(size));
      sent += text_of(size);
      REQUIRE(pair.give(wire) == Progress::need_input);
      REQUIRE(pair.text == sent);
      const auto said = pair.peer.open(test::as_bytes(pair.seal_text(text_of(size))));
      REQUIRE(said == std::vector<test::Said>{{test::type_data, text_of(size)}});
    }
    CHECK(pair.out.empty());
  }
}

TEST_CASE("pieces make one record, wherever they are cut") {
  const std::string text = text_of(16384);
  for (const test::Suite suite : test::suites) {
    for (const std::size_t size : {10U, 4096U, 16384U}) {
      Pair pair(suite);
      const auto whole = test::as_bytes(text).first(size);
      const std::array pieces{whole.first(3), std::span<const std::byte>(), whole.subspan(3, size / 2),
                              whole.subspan(3 + size / 2)};
      Buffer out(size + record_overhead_bytes_max);
      const std::size_t bytes = pair.records.seal(pieces, out);
      CHECK(bytes <= out.size());
      const auto said = pair.peer.open(std::span(out).first(bytes));
      CHECK(said == std::vector<test::Said>{{test::type_data, text.substr(0, size)}});
    }
  }
}

TEST_CASE("records may be cut at each byte, and come one byte at a time") {
  for (const test::Suite suite : test::suites) {
    Buffer three;
    {
      test::RecordPeer peer(test::keys_for(suite));
      for (const auto* text : {"first", "second, and longer", "third"}) append(three, peer.data(text));
    }
    for (std::size_t cut = 0; cut <= three.size(); ++cut) {
      Pair pair(suite);
      Buffer wire = three;
      REQUIRE(pair.give(std::span(wire).first(cut)) == Progress::need_input);
      REQUIRE(pair.give(std::span(wire).subspan(cut)) == Progress::need_input);
      REQUIRE(pair.text == "firstsecond, and longerthird");
      REQUIRE(pair.records.bytes_missing() == 0);
      REQUIRE(pair.records.bytes_held() == 0);
    }
    for (const std::size_t step : {1U, 2U, 5U, 7U}) {
      Pair pair(suite);
      Buffer wire = three;
      REQUIRE(pair.give(wire, step) == Progress::need_input);
      CHECK(pair.text == "firstsecond, and longerthird");
    }
  }
}

TEST_CASE("plaintext lies where its record came, or in memory of its own when that was cut") {
  Pair pair(test::suite13);
  Buffer wire = pair.peer.data("whole");
  append(wire, pair.peer.data("cut"));
  test::Sent sent;
  Records::Opened opened;
  std::span<std::byte> in = std::span(wire).first(wire.size() - 1);
  REQUIRE(pair.records.open(in, opened, sent) == Progress::plaintext);
  CHECK(opened.plaintext.data() == wire.data() + 5);
  CHECK(!opened.memory);
  REQUIRE(pair.records.open(in, opened, sent) == Progress::need_input);
  CHECK(opened.plaintext.empty());
  CHECK(pair.records.bytes_missing() == 1);
  in = std::span(wire).last(1);
  REQUIRE(pair.records.open(in, opened, sent) == Progress::plaintext);
  CHECK(test::as_text(opened.plaintext) == "cut");
  REQUIRE(opened.memory);
  CHECK(opened.plaintext.data() == opened.memory.get() + 5);
  CHECK(pair.records.bytes_held() == 0);
}

TEST_CASE("a record that is only announced costs what has come of it") {
  Pair pair(test::suite13);
  Buffer wire = pair.peer.data(text_of(16384));
  std::span<std::byte> rest = wire;
  std::size_t come = 0;
  for (const std::size_t step : {1, 4, 1, 100, 4000, 8000}) {
    REQUIRE(pair.give(rest.first(step)) == Progress::need_input);
    rest = rest.subspan(step);
    come += step;
    CHECK(pair.records.bytes_held() <= std::max<std::size_t>(2 * come, 64));
    CHECK(pair.records.bytes_held() <= wire.size());
    CHECK(pair.records.bytes_missing() == (come < 5 ? 5 : wire.size()) - come);
  }
  REQUIRE(pair.give(rest) == Progress::need_input);
  CHECK(pair.text == text_of(16384));
}

TEST_CASE("TLS 1.3 padding goes, and records of it alone are bounded") {
  Pair pair(test::suite13);
  Buffer wire = pair.peer.seal(test::type_data, "padded", 1000);
  append(wire, pair.peer.seal(test::type_data, "", 16384));
  append(wire, pair.peer.seal(test::type_data, std::string(16384, '\0'), 0));
  append(wire, pair.peer.seal(test::type_data, "x", 16383));
  REQUIRE(pair.give(wire) == Progress::need_input);
  CHECK(pair.text == "padded" + std::string(16384, '\0') + "x");
}

TEST_CASE("empty records pass, up to a bound") {
  for (const test::Suite suite : test::suites) {
    Pair pair(suite);
    Buffer wire;
    for (unsigned i = 0; i < PostHandshake::idle_records_max; ++i) append(wire, pair.peer.data(""));
    append(wire, pair.peer.data("data"));
    REQUIRE(pair.give(wire) == Progress::need_input);
    CHECK(pair.text == "data");
  }
}

TEST_CASE("no nonce comes twice, and TLS 1.2's explicit one counts from where the keys say") {
  for (const test::Suite suite : test::suites) {
    Keys keys = test::keys_for(suite);
    std::ranges::fill(std::span(keys.send.iv).last(6), std::byte{0xFF});
    Pair pair(keys);
    for (int i = 0; i < 300; ++i) pair.peer.open(test::as_bytes(pair.seal_text("x")));
    const std::set<Buffer> nonces(pair.peer.nonces.begin(), pair.peer.nonces.end());
    CHECK(nonces.size() == 300);
    CHECK(pair.records.records_sealed() == keys.send.sequence + 300);
    if (suite.version == Version::tls12 && suite.cipher != Cipher::chacha20_poly1305) {
      CHECK(std::ranges::equal(pair.peer.nonces[0], keys.send.iv));
      CHECK(std::ranges::equal(pair.records.keys().send.iv, std::span(keys.send.iv).first(4)) == false);
      // The carry goes into the bytes above, never into the salt.
      CHECK(std::ranges::equal(std::span(pair.peer.nonces[1]).first(4), std::span(keys.send.iv).first(4)));
      CHECK(std::ranges::count(std::span(pair.peer.nonces[1]).last(6), std::byte{0}) == 6);
    } else {
      CHECK(pair.records.keys().send.iv == keys.send.iv);
    }
  }
}

TEST_CASE("connections that share a shard's schedules take turns") {
  KeySchedules schedules;
  const Keys a_keys = test::keys_for(test::suites[1]), b_keys = test::keys_for(test::suites[3]);
  Records a(a_keys, schedules);
  auto b = std::make_unique<Records>(b_keys, schedules);
  test::RecordPeer a_peer(a_keys), b_peer(b_keys);
  test::Sent sent;
  Records::Opened opened;
  for (int turn = 0; turn < 5; ++turn) {
    if (turn == 3) b = std::make_unique<Records>(b_keys, schedules);  // perhaps where the old one was
    if (turn == 3) b_peer = test::RecordPeer(b_keys);
    for (auto& [records, peer] : {std::pair{&a, &a_peer}, std::pair{b.get(), &b_peer}}) {
      Buffer wire = peer->data("to us");
      std::span<std::byte> in = wire;
      REQUIRE(records->open(in, opened, sent) == Progress::plaintext);
      CHECK(test::as_text(opened.plaintext) == "to us");
      Buffer out(100);
      const std::array pieces{test::as_bytes("from us")};
      CHECK(peer->open(std::span(out).first(records->seal(pieces, out)))[0].text == "from us");
    }
  }
}

TEST_CASE("a connection that comes where another was has none of its keys") {
  KeySchedules schedules;
  const Keys a_keys = test::keys_for(test::suites[0]), b_keys = test::keys_for(test::suites[1]);
  std::optional<Records> records;
  for (const Keys& keys : {a_keys, b_keys}) {
    records.emplace(keys, schedules);
    test::RecordPeer peer(keys);
    test::Sent sent;
    Records::Opened opened;
    Buffer wire = peer.data("to us");
    std::span<std::byte> in = wire;
    CHECK(records->open(in, opened, sent) == Progress::plaintext);
    records->close(sent);
    CHECK(peer.open(sent.bytes).size() == 1);
  }
}

}  // namespace
}  // namespace ringwall::tls
