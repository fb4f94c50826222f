// Session tickets: on every shard, across rotation, never past their time, never under another name.
#include <cstring>

#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::as_bytes;
using test::Client;
using test::ClientOptions;
using test::End;
using test::Folder;
using test::Server;
using test::Stream;

// Two listeners of two shards: a Context each, the same keys.
struct Shards {
  explicit Shards(const Folder& folder, TicketTimes times = {})
      : first({certificate_for(folder, {"a.example", "b.example"})}, times) {
    auto loaded = Context::load({{first.context->certificate(0).files}}, *first.keys, test::now_s());
    REQUIRE(loaded);
    second = std::move(*loaded);
  }
  Server first;
  std::shared_ptr<const Context> second;
};

using Session = std::unique_ptr<SSL_SESSION, void (*)(SSL_SESSION*)>;

Session session_from(const std::shared_ptr<const Context>& context, const ClientOptions& options) {
  Stream stream(context);
  Client client(options);
  REQUIRE(shake(stream, client) == End::both_done);
  CHECK(!stream.resumed());
  test::talk(stream, client);
  REQUIRE(!client.sessions.empty());
  Session session = std::move(client.sessions.back());
  return session;
}

bool resumes(const std::shared_ptr<const Context>& context, ClientOptions options, SSL_SESSION* session) {
  options.session = session;
  Stream stream(context);
  Client client(options);
  REQUIRE(shake(stream, client) == End::both_done);
  CHECK(stream.resumed() == (SSL_session_reused(client.ssl) == 1));
  client.send("ping");
  CHECK(test::talk(stream, client).by_server == "ping");
  return stream.resumed();
}

ClientOptions options_for(int version) {
  return {.version_min = version, .version_max = version, .server_name = "a.example"};
}

TEST_CASE("a ticket issued on one shard resumes on another, with each suite") {
  const Folder folder;
  const Shards shards(folder);
  for (const char* suite : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    ClientOptions options = options_for(TLS1_3_VERSION);
    options.suites = suite;
    const Session session = session_from(shards.first.context, options);
    CHECK(resumes(shards.second, options, session.get()));
  }
  for (const char* suite :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    ClientOptions options = options_for(TLS1_2_VERSION);
    options.ciphers = suite;
    const Session session = session_from(shards.first.context, options);
    CHECK(resumes(shards.second, options, session.get()));
  }
}

TEST_CASE("a ticket outlives one rotation of keys, but not its lifetime") {
  const Folder folder;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    const Shards shards(folder, {.lifetime_s = 7200, .rotation_s = 3600});
    const std::int64_t start = test::now_s();
    const Session session = session_from(shards.first.context, options_for(version));
    shards.first.keys->rotate(start + 3600);
    CHECK(resumes(shards.second, options_for(version), session.get()));
    shards.first.keys->rotate(start + 3600 + 7201);
    CHECK(!resumes(shards.second, options_for(version), session.get()));
  }
}

TEST_CASE("the client is told the lifetime of its ticket") {
  const Folder folder;
  const Shards shards(folder, {.lifetime_s = 1234, .rotation_s = 600});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Session session = session_from(shards.first.context, options_for(version));
    CHECK(SSL_SESSION_get_ticket_lifetime_hint(session.get()) == 1234);
  }
}

TEST_CASE("a ticket does not resume under another server name") {
  const Folder folder;
  const Shards shards(folder);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    const Session session = session_from(shards.first.context, options_for(version));
    ClientOptions other = options_for(version);
    other.server_name = "b.example";
    CHECK(!resumes(shards.first.context, other, session.get()));
  }
}

TEST_CASE("a ticket of other keys, as after a restart, leads to a full handshake") {
  const Folder folder;
  const Shards before(folder), after(folder);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Session session = session_from(before.first.context, options_for(version));
    CHECK(!resumes(after.first.context, options_for(version), session.get()));
  }
}

// The session with the byte at `at` of its ticket changed: found in the ASN.1 form by the ticket's bytes.
Session with_changed_ticket(SSL_SESSION* session, std::size_t at) {
  const unsigned char* ticket = nullptr;
  std::size_t ticket_size = 0;
  SSL_SESSION_get0_ticket(session, &ticket, &ticket_size);
  REQUIRE(at < ticket_size);
  std::vector<unsigned char> form(static_cast<std::size_t>(i2d_SSL_SESSION(session, nullptr)));
  unsigned char* to = form.data();
  i2d_SSL_SESSION(session, &to);
  auto* found = static_cast<unsigned char*>(memmem(form.data(), form.size(), ticket, ticket_size));
  REQUIRE(found != nullptr);
  found[at] ^= 1;
  const unsigned char* from = form.data();
  Session changed(d2i_SSL_SESSION(nullptr, &from, static_cast<long>(form.size())), &SSL_SESSION_free);
  REQUIRE(changed != nullptr);
  return changed;
}

TEST_CASE("a ticket with any byte changed leads to a full handshake") {
  const Folder folder;
  const Shards shards(folder);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Session session = session_from(shards.first.context, options_for(version));
    const unsigned char* ticket = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session.get(), &ticket, &size);
    REQUIRE(size > 66);
    for (std::size_t at = 0; at < size; at += at < 80 ? 1 : 13) {
      INFO(version << " at " << at << " of " << size);
      const Session changed = with_changed_ticket(session.get(), at);
      CHECK(!resumes(shards.first.context, options_for(version), changed.get()));
    }
    CHECK(resumes(shards.first.context, options_for(version), session.get()));
  }
}

TEST_CASE("a client that wants no tickets gets none, and a full handshake each time") {
  const Folder folder;
  const Shards shards(folder);
  ClientOptions options = options_for(TLS1_2_VERSION);
  options.tickets = false;
  Stream stream(shards.first.context);
  Client client(options);
  REQUIRE(shake(stream, client) == End::both_done);
  for (const auto& session : client.sessions) CHECK(!SSL_SESSION_has_ticket(session.get()));
}

}  // namespace
}  // namespace ringwall::tls
