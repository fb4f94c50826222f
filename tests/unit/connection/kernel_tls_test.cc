// A Connection whose records the kernel makes and opens: when it is handed each direction, and what is said beside
// data.
#include "tls_link.h"

#include <algorithm>
#include <iterator>

namespace ringwall::connection {
namespace {

using test::harmless_faults;
using test::KernelTls;
using test::second;
using test::Stage;
using test::text_of;
using test::TlsLink;
using Told = std::vector<std::string>;

constexpr std::uint64_t seeds = 10;
constexpr int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

struct Request {
  // The client's last word of the handshake and `text`, of which `cut` bytes of ciphertext are held back.
  Request(TlsLink& link_in, std::string_view text_in, std::size_t cut_in) : link(link_in), text(text_in), cut(cut_in) {
    link.peer.on_event = [this](sim::Peer&) { say(); };
    link.start();
  }

  void say() {
    link.receive();
    if (link.client.done) {
      link.heard += link.client.read();
    } else {
      (void)link.client.step();
      if (link.client.done) link.client.send(text);
    }
    std::vector<std::byte> wire = link.client.out();
    if (link.client.done && !wire.empty() && rest.empty()) {
      const std::size_t kept = std::min(cut, wire.size());
      rest.assign(wire.end() - static_cast<std::ptrdiff_t>(kept), wire.end());
      wire.resize(wire.size() - kept);
    }
    if (!wire.empty()) link.peer.send(wire);
  }

  TlsLink& link;
  std::string text;
  std::size_t cut;
  std::vector<std::byte> rest;
};

TEST_CASE("the kernel gets both directions, and nothing that came with the Finished is lost, cut anywhere") {
  for (const int version : versions) {
    const std::string text = text_of(5'000);
    for (const std::size_t cut : {0U, 1U, 16U, 21U, 22U, 2'000U, 4'999U, 5'016U, 5'018U, 5'020U, 5'021U, 5'022U}) {
      INFO(version << ", " << cut << " bytes held back");
      Stage stage({.kernel_tls = KernelTls::one_key});
      TlsLink link(stage, version);
      Request request(link, text, cut);
      REQUIRE(stage.run_until([&] { return link.owner.heard("established"); }));
      stage.run_for(Stage::moment_ns);
      link.peer.send(request.rest);
      REQUIRE(stage.run_until([&] { return link.owner.received.size() == text.size(); }));
      CHECK(link.owner.received == text);
      link.connection.send_copy(text);
      REQUIRE(stage.run_until([&] { return link.heard.size() == text.size(); }));
      CHECK(link.heard == text);
      CHECK(link.connection.transport()->receives_in_kernel());
      CHECK(link.connection.transport()->sends_in_kernel());
      link.peer.on_event = nullptr;
    }
  }
}

TEST_CASE("a socket that the kernel does not take goes on in user space") {
  Stage stage({.kernel_tls = KernelTls::none});
  for (auto& row : stage.resources.offload.kernel) row.fill(true);
  TlsLink link(stage);
  link.establish();
  link.say("still here");
  link.connection.send_copy("so are we");
  REQUIRE(stage.run_until([&] { return link.owner.received == "still here" && link.heard == "so are we"; }));
  CHECK_FALSE(link.connection.transport()->receives_in_kernel());
  CHECK_FALSE(link.connection.transport()->sends_in_kernel());
}

TEST_CASE("a slow reader gets all of it, then close_notify, then FIN") {
  for (const int version : versions) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      INFO(version << ", seed " << seed);
      Stage stage(
          {.seed = seed, .faults = harmless_faults(), .socket_bytes = 48 * 1024, .kernel_tls = KernelTls::one_key});
      TlsLink link(stage, version);
      link.establish();
      link.peer.stop_reading();
      link.connection.send_copy(text_of(300'000));
      link.connection.finish();
      stage.run_for(second);
      link.peer.read_at_once();
      REQUIRE(stage.run_until([&] { return link.is_closed() && link.peer.has_ended(); }));
      CHECK(link.heard == text_of(300'000));
      CHECK(link.client.closed);
      CHECK_FALSE(link.client.failed);
    }
  }
}

TEST_CASE("last words that TCP has no room for are not lost behind a shutdown") {
  // In some of these sizes TCP's buffers on both sides are full but for a few bytes, when the last record comes: Linux
  // takes it whole then, and sends a part of it.
  constexpr std::size_t text_bytes = 40'000;
  for (std::size_t socket_bytes = 21'700; socket_bytes <= 21'850; socket_bytes += 3) {
    INFO(socket_bytes << " bytes of buffer");
    Stage stage({.socket_bytes = socket_bytes, .kernel_tls = KernelTls::one_key});
    TlsLink link(stage);
    link.establish();
    link.say("go on");
    REQUIRE(stage.run_until([&] { return link.owner.received == "go on"; }));
    link.peer.stop_reading();
    link.connection.send_copy(text_of(text_bytes));
    link.connection.finish();
    stage.run_for(second / 2);
    link.peer.read_at_once();
    REQUIRE(stage.run_until([&] { return link.is_closed() && link.peer.has_ended(); }));
    CHECK(link.heard == text_of(text_bytes));
    CHECK(link.client.closed);
    CHECK_FALSE(link.client.failed);
  }
}

TEST_CASE("what a client says while we end does not cost it the rest of its answer") {
  enum class Talk { key_update, garbage, wrong_tag, alert };
  for (const KernelTls kernel_tls : {KernelTls::none, KernelTls::one_key, KernelTls::key_updates}) {
    for (const Talk talk : {Talk::key_update, Talk::garbage, Talk::wrong_tag, Talk::alert}) {
      for (const bool lingers : {false, true}) {
        INFO(static_cast<int>(kernel_tls) << " " << static_cast<int>(talk) << " " << lingers);
        Stage stage({.socket_bytes = 48 * 1024, .linger_ns = 20 * second, .kernel_tls = kernel_tls});
        TlsLink link(stage);
        link.establish();
        link.say("a request");
        REQUIRE(stage.run_until([&] { return link.owner.received == "a request"; }));
        const std::string text = text_of(lingers ? 1'000 : 300'000);
        if (!lingers) link.peer.stop_reading();
        link.connection.send_copy(text);
        link.connection.finish();
        stage.run_for(second);
        std::vector<std::byte> wire;
        if (talk == Talk::key_update) REQUIRE(SSL_key_update(link.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
        if (talk == Talk::alert) {
          link.client.close();
        } else if (!link.client.closed) {
          link.client.send("and another thing");
        }
        wire = link.client.out();
        if (talk == Talk::wrong_tag && !wire.empty()) wire.back() ^= std::byte{1};
        if (talk == Talk::garbage) wire.assign(100, std::byte{'x'});
        link.peer.send(wire);
        stage.run_for(second);
        link.peer.read_at_once();
        REQUIRE(stage.run_until([&] { return link.peer.has_ended(); }));
        link.peer.half_close();
        REQUIRE(stage.run_until([&] { return link.is_closed(); }));
        CHECK(link.peer.error() == 0);
        CHECK(link.heard == text);
        CHECK(link.client.closed);
        CHECK(link.owner.told == Told{"established", "closed"});
      }
    }
  }
}

// The turns that it takes to read on to the client's FIN.
std::uint64_t turns_to_the_end(KernelTls kernel_tls, std::uint64_t seed) {
  Stage stage({.seed = seed, .linger_ns = 20 * second, .kernel_tls = kernel_tls});
  TlsLink link(stage);
  Request request(link, "a request", 1);
  REQUIRE(stage.run_until([&] { return link.owner.heard("established"); }));
  stage.run_for(Stage::moment_ns);
  link.connection.finish();
  link.peer.on_event = nullptr;
  const std::uint64_t before = stage.ring.counters().turns;
  link.peer.send(std::string(20'000, 'x'));
  link.peer.half_close();
  REQUIRE(stage.run_until([&] { return link.is_closed(); }));
  return stage.ring.counters().turns - before;
}

TEST_CASE("a connection that ends within a record is not read byte by byte") {
  std::uint64_t in_user_space = 0, before_the_kernel = 0;  // in pieces as the path makes them
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    in_user_space += turns_to_the_end(KernelTls::none, seed);
    before_the_kernel += turns_to_the_end(KernelTls::one_key, seed);
  }
  CHECK(before_the_kernel < 2 * in_user_space);
  CHECK(before_the_kernel < 5 * 20'000);
}

TEST_CASE("a KeyUpdate that the kernel can't follow is told, and the end can still be said in order") {
  for (const int kind : {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED}) {
    Stage stage({.kernel_tls = KernelTls::one_key});
    TlsLink link(stage);
    link.establish();
    link.owner.when_told = [&] {
      if (link.owner.told.back() != "spent") return;
      link.connection.send_copy("come back later");
      link.connection.finish();
    };
    link.say("before");
    REQUIRE(stage.run_until([&] { return link.owner.received == "before"; }));
    REQUIRE(SSL_key_update(link.client.ssl, kind) == 1);
    link.say("after");
    REQUIRE(stage.run_until([&] { return link.is_closed(); }));
    CHECK(link.owner.told == Told{"established", "spent", "closed"});
    CHECK(link.owner.received == "before");
    CHECK(link.heard == "come back later");
    CHECK(link.client.closed);
    CHECK_FALSE(link.client.failed);
  }
}

TEST_CASE("a kernel that takes new keys follows KeyUpdates, and answers those that ask for one") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = harmless_faults(), .kernel_tls = KernelTls::key_updates});
    TlsLink link(stage);
    link.establish();
    std::string said, answered;
    for (int round = 0; round < 20; ++round) {
      REQUIRE(SSL_key_update(link.client.ssl,
                             round % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
      const std::string text = text_of(1 + 700 * static_cast<std::size_t>(round));
      link.say(text);
      said += text;
      REQUIRE(stage.run_until([&] { return link.owner.received.size() == said.size(); }));
      link.connection.send_copy(text);
      answered += text;
      REQUIRE(stage.run_until([&] { return link.heard.size() == answered.size(); }));
    }
    CHECK(link.owner.received == said);
    CHECK(link.heard == answered);
    CHECK_FALSE(link.client.failed);
  }
}

TEST_CASE("a renegotiation is refused beside what is said, and a fatal alert of the client ends the connection") {
  Stage stage({.kernel_tls = KernelTls::one_key});
  {
    TlsLink link(stage, TLS1_2_VERSION);
    link.establish();
    link.say("before");
    REQUIRE(stage.run_until([&] { return link.owner.received == "before"; }));
    REQUIRE(SSL_renegotiate(link.client.ssl) == 1);
    SSL_do_handshake(link.client.ssl);
    link.peer.send(link.client.out());
    stage.run_for(Stage::moment_ns);
    link.receive();
    (void)link.client.read();
    CHECK(link.client.alert_received == tls::alert::no_renegotiation);
  }
  for (const int version : versions) {
    TlsLink link(stage, version);
    link.establish();
    link.say("before");
    REQUIRE(stage.run_until([&] { return link.owner.received == "before"; }));
    // A record that the client can't open makes it send bad_record_mac.
    const std::string garbage = "\x17\x03\x03" + std::string("\0\x20", 2) + std::string(32, 'x');
    link.client.receive(std::as_bytes(std::span(garbage)));
    (void)link.client.read();
    link.peer.send(link.client.out());
    REQUIRE(stage.run_until([&] { return link.is_closed(); }));
    CHECK(link.owner.told == Told{"established", "failed: tls", "closed"});
    CHECK(link.connection.transport()->failure().alert_received == tls::alert::bad_record_mac);
  }
}

// Keys ---------------------------------------------------------------------------------------------------------------

constexpr std::uint64_t few_records = 64;

TEST_CASE("our own key changes before so many records, where it can be changed") {
  for (const KernelTls kernel_tls : {KernelTls::none, KernelTls::key_updates}) {
    Stage stage({.kernel_tls = kernel_tls, .records_per_key = few_records});
    TlsLink link(stage);
    link.establish();
    std::string text;
    for (int round = 0; round < 500; ++round) {
      link.connection.send_copy("a message of its own");
      text += "a message of its own";
      REQUIRE(stage.run_until([&] { return link.heard.size() == text.size(); }));
    }
    CHECK(link.heard == text);
    CHECK_FALSE(link.client.failed);
    CHECK(link.owner.told == Told{"established"});
  }
}

TEST_CASE("our own key changes within an answer, also where its reader is slow") {
  for (const KernelTls kernel_tls : {KernelTls::none, KernelTls::key_updates}) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      INFO(static_cast<int>(kernel_tls) << ", seed " << seed);
      Stage stage({.seed = seed,
                   .faults = harmless_faults(),
                   .socket_bytes = 100'000,
                   .kernel_tls = kernel_tls,
                   .records_per_key = few_records});
      TlsLink link(stage);
      link.establish();
      link.peer.stop_reading();
      const std::string text = text_of(3'000'000);
      link.connection.send_copy(text);
      stage.run_for(second);
      link.peer.read_at_once();
      link.connection.send_copy("the end");
      REQUIRE(stage.run_until([&] { return link.heard.size() == text.size() + 7; }));
      CHECK(link.heard == text + "the end");
      CHECK_FALSE(link.client.failed);
      CHECK(stage.backlog.used() == 0);
    }
  }
}

TEST_CASE("a burst does not pass over the records that are left to a key") {
  for (const KernelTls kernel_tls : {KernelTls::none, KernelTls::one_key, KernelTls::key_updates}) {
    for (const int version : versions) {
      INFO(static_cast<int>(kernel_tls) << " " << version);
      Stage stage({.socket_bytes = 8 << 20, .kernel_tls = kernel_tls, .records_per_key = few_records});
      TlsLink link(stage, version);
      link.establish();
      link.say("go on");
      REQUIRE(stage.run_until([&] { return link.owner.received == "go on"; }));
      link.connection.send_copy(text_of(3'000'000));
      const bool goes_on = version == TLS1_3_VERSION && kernel_tls != KernelTls::one_key;
      REQUIRE(stage.run_until([&] { return goes_on ? link.heard.size() == 3'000'000 : link.owner.heard("spent"); }));
      CHECK(link.connection.is_open());
    }
  }
}

TEST_CASE("where it can't be changed the end is asked for before so many records, and enforced at them") {
  struct Way {
    KernelTls kernel_tls;
    int version;
  };
  for (const Way way : {Way{KernelTls::none, TLS1_2_VERSION}, Way{KernelTls::one_key, TLS1_2_VERSION},
                        Way{KernelTls::one_key, TLS1_3_VERSION}, Way{KernelTls::key_updates, TLS1_2_VERSION}}) {
    for (const bool in_order : {true, false}) {
      INFO(static_cast<int>(way.kernel_tls) << " " << way.version << " " << in_order);
      Stage stage({.kernel_tls = way.kernel_tls, .records_per_key = few_records});
      TlsLink link(stage, way.version);
      link.establish();
      link.owner.when_told = [&] {
        if (in_order && link.owner.told.back() == "spent") link.connection.finish();
      };
      std::size_t sent = 0;
      for (; sent < 2 * few_records && link.connection.is_open(); ++sent) {
        const std::size_t heard = link.heard.size();
        link.connection.send_copy("x");
        REQUIRE(stage.run_until([&] { return link.heard.size() > heard || !link.connection.is_open(); }));
      }
      REQUIRE(stage.run_until([&] { return link.is_closed() && link.peer.is_over(); }));
      CHECK(link.owner.told == (in_order ? Told{"established", "spent", "closed"}
                                         : Told{"established", "spent", "failed: tls", "closed"}));
      CHECK(sent > few_records / 2);
      CHECK(sent <= few_records);
      CHECK(link.client.closed == in_order);
      CHECK_FALSE(link.client.failed);
    }
  }
}

}  // namespace
}  // namespace ringwall::connection
