// Which certificate a client is shown.
#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::Client;
using test::ClientOptions;
using test::End;
using test::Folder;
using test::Kind;
using test::Server;
using test::Stream;

struct Shown {
  std::string name, key;
};

Shown show(const Server& server, ClientOptions options) {
  Stream stream(server.context);
  Client client(options);
  REQUIRE(shake(stream, client) == End::both_done);
  CHECK(stream.server_name() == options.server_name);
  CHECK((stream.certificate().key_kind == KeyKind::rsa) == (test::shown_key(client) == "RSA"));
  return {test::shown_name(client), test::shown_key(client)};
}

TEST_CASE("the certificate is chosen by server name: exact before wildcard, the first for an unknown or missing name") {
  const Folder folder;
  const Server server({certificate_for(folder, {"first.example"}), certificate_for(folder, {"*.rpc.example"}),
                       certificate_for(folder, {"one.rpc.example", "other.example"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto shown = [&](const std::string& name) {
      return show(server, {.version_min = version, .version_max = version, .server_name = name}).name;
    };
    CHECK(shown("first.example") == "first.example");
    CHECK(shown("two.rpc.example") == "*.rpc.example");
    CHECK(shown("one.rpc.example") == "one.rpc.example");
    CHECK(shown("other.example") == "one.rpc.example");
    CHECK(shown("unknown.example") == "first.example");
    CHECK(shown("") == "first.example");
    CHECK(shown("rpc.example") == "first.example");        // a wildcard stands for one label, not for none
    CHECK(shown("a.two.rpc.example") == "first.example");  // and not for two
  }
}

TEST_CASE("server names match in any case") {
  const Folder folder;
  const Server server({certificate_for(folder, {"first.example"}), certificate_for(folder, {"Second.Example"})});
  Stream stream(server.context);
  Client client({.server_name = "SECOND.example"});
  REQUIRE(shake(stream, client) == End::both_done);
  CHECK(stream.server_name() == "second.example");
  CHECK(test::shown_name(client) == "Second.Example");
}

TEST_CASE("of an ECDSA and an RSA certificate for the same name, the client gets the first that it can verify") {
  const Folder folder;
  const Certificate ecdsa = certificate_for(folder, {"same.example"});
  const Certificate rsa = certificate_for(folder, {"same.example"}, Kind::rsa);
  const Server ecdsa_first({ecdsa, rsa}), rsa_first({rsa, ecdsa});
  for (const std::string name : {"same.example", "unknown.example", ""}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      INFO(name << " " << version);
      const ClientOptions any{.version_min = version, .version_max = version, .server_name = name};
      CHECK(show(ecdsa_first, any).key == "EC");
      CHECK(show(rsa_first, any).key == "RSA");
      ClientOptions only_rsa = any;
      only_rsa.algorithms = "RSA-PSS+SHA256:RSA+SHA256";
      CHECK(show(ecdsa_first, only_rsa).key == "RSA");
      ClientOptions only_ecdsa = any;
      only_ecdsa.algorithms = "ECDSA+SHA256";
      CHECK(show(rsa_first, only_ecdsa).key == "EC");
    }
    ClientOptions suites{.version_max = TLS1_2_VERSION, .server_name = name};
    suites.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
    CHECK(show(ecdsa_first, suites).key == "RSA");
    suites.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
    CHECK(show(rsa_first, suites).key == "EC");
    // The curve of the certificate is not among the client's groups.
    ClientOptions groups{.version_max = TLS1_2_VERSION, .groups = "X25519", .server_name = name};
    CHECK(show(ecdsa_first, groups).key == "RSA");
  }
}

TEST_CASE("a client that can verify no exact match gets a wildcard's certificate that it can") {
  const Folder folder;
  const Server server({certificate_for(folder, {"a.example"}), certificate_for(folder, {"*.example.org"}, Kind::rsa),
                       certificate_for(folder, {"www.example.org"})});
  const ClientOptions only_rsa{.algorithms = "RSA-PSS+SHA256:RSA+SHA256", .server_name = "www.example.org"};
  CHECK(show(server, only_rsa).name == "*.example.org");
}

TEST_CASE("a wildcard stands for exactly one leftmost label") {
  CHECK(name_matches("*.example.org", "a.example.org"));
  CHECK(name_matches("a.example.org", "a.example.org"));
  CHECK(!name_matches("*.example.org", "example.org"));
  CHECK(!name_matches("*.example.org", ".example.org"));
  CHECK(!name_matches("*.example.org", "a.b.example.org"));
  CHECK(!name_matches("*.org", "example.org"));
  CHECK(!name_matches("*", "org"));
  CHECK(!name_matches("a*.example.org", "ab.example.org"));
  CHECK(!name_matches("a.*.org", "a.example.org"));
  CHECK(!name_matches("", ""));
}

}  // namespace
}  // namespace ringwall::tls
