// Stapling: the file is given to clients that ask, as long as it is good.
#include <openssl/ocsp.h>

#include "authority.h"
#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::Client;
using test::End;
using test::Folder;
using test::pem;
using test::Server;
using test::Stream;

struct Chain {
  test::Key root_key = test::ec_key(), key = test::ec_key();
  test::Cert root = test::issue(root_key.get(), {.common_name = "Root", .ca = true});
  test::Cert leaf = test::issue(key.get(), {.alt_names = "DNS:rpc.example"}, root.get(), root_key.get());
  Folder folder;

  Certificate files(const std::string& ocsp, bool with_issuer = true) const {
    return {folder.write("chain.pem", pem(leaf.get()) + (with_issuer ? pem(root.get()) : "")),
            folder.write("key.pem", test::pem(key.get())), folder.write("ocsp.der", ocsp)};
  }
  std::string response(const test::Status& status = {}) const {
    return test::ocsp_response(leaf.get(), root.get(), root_key.get(), status);
  }
};

std::string stapled(const Server& server, int version, bool asked = true) {
  std::string got;
  for (int connection = 0; connection < 2; ++connection) {  // wolfSSL keeps what it has checked once
    Stream stream(server.context);
    Client client({.version_min = version, .version_max = version, .ask_for_status = asked});
    REQUIRE(shake(stream, client) == End::both_done);
    client.send("ping");
    CHECK(test::talk(stream, client).by_server == "ping");
    got = client.status;
  }
  return got;
}

TEST_CASE("a client that asks for the certificate's status gets the file, byte for byte") {
  const Chain chain;
  const std::string response = chain.response();
  const Server server({chain.files(response)});
  // A wolfSSL that tools/bootstrap did not build may be good for TLS 1.2 only, and then that is warned of.
  const bool both = server.context->warnings().empty();
  CHECK((both || server.context->warnings()[0].find("TLS 1.2 only") != std::string::npos));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    CHECK(stapled(server, version) == (both || version == TLS1_2_VERSION ? response : ""));
    CHECK(stapled(server, version, false).empty());
  }
}

TEST_CASE("a response that is out of date is not stapled, and warned of") {
  const Chain chain;
  const Server server({chain.files(chain.response({.this_s = -7200, .next_s = -3600}))});
  REQUIRE(server.context->warnings().size() == 1);
  CHECK(server.context->warnings()[0].find("out of date") != std::string::npos);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) CHECK(stapled(server, version).empty());
}

TEST_CASE(
    "a response that wolfSSL can't check, since the chain lacks the issuer, does not keep the listener from serving") {
  const Chain chain;
  const Server server({chain.files(chain.response(), false)});
  CHECK(!server.context->warnings().empty());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) CHECK(stapled(server, version).empty());
}

TEST_CASE("a response for another certificate, or that is none, is refused at load") {
  const Chain chain, other;
  const auto error = [&](const std::string& ocsp) {
    const auto loaded = load_identity(chain.files(ocsp));
    return loaded ? std::string("accepted") : loaded.error().message;
  };
  CHECK(error(chain.response()) == "accepted");
  CHECK(error(other.response()).find("for another certificate") != std::string::npos);
  CHECK(error("not DER").find("no successful OCSP response") != std::string::npos);
  const std::string response = chain.response();
  for (std::size_t size = 0; size < 120; ++size) CHECK(error(response.substr(0, size)) != "accepted");
}

TEST_CASE("a response that says revoked is noted") {
  const Chain chain;
  const auto loaded = load_identity(chain.files(chain.response({.verdict = V_OCSP_CERTSTATUS_REVOKED})));
  REQUIRE(loaded);
  REQUIRE(loaded->notes.size() == 1);
  CHECK(loaded->notes[0].find("revoked") != std::string::npos);
}

}  // namespace
}  // namespace ringwall::tls
