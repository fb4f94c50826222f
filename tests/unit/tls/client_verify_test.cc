// Whose certificates a client accepts, and what it says of those that it does not.
#include "authority.h"
#include "pair.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::Cert;
using test::Folder;
using test::Key;
using test::OpensslServer;
using test::OurClient;
using test::Wanted;

// An authority, an intermediate that it signed, and what they sign.
struct Authority {
  explicit Authority(const std::string& name = "Root") : root_name(name) {
    folder.write("ca.pem", test::pem(root.get()));
  }

  [[nodiscard]] std::string ca_file() const { return folder.path + "/ca.pem"; }

  // The leaf's files, with the intermediate unless it is left out.
  [[nodiscard]] Certificate leaf(const Wanted& wanted, bool complete = true) const {
    const Key key = test::ec_key();
    const Cert made = test::issue(key.get(), wanted, middle.get(), middle_key.get());
    return {folder.write("leaf.crt", test::pem(made.get()) + (complete ? test::pem(middle.get()) : "")),
            folder.write("leaf.key", test::pem(key.get())), ""};
  }

  std::string root_name;
  Folder folder;
  Key root_key = test::ec_key();
  Cert root = test::issue(root_key.get(), {.common_name = root_name, .ca = true});
  Key middle_key = test::ec_key();
  Cert middle = test::issue(middle_key.get(), {.common_name = "Middle", .ca = true}, root.get(), root_key.get());
};

// Empty: accepted.
std::string verdict(const Certificate& files, const std::string& ca_file, const char* name) {
  const auto context = test::client_context({.ca_file = ca_file});
  std::string told;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    OpensslServer server(files, version);
    OurClient client(*context, name);
    std::vector<std::byte> behind;
    const bool accepted = shake(client, server, behind);
    const Failure& failure = client.handshake.failure();
    CHECK(accepted == (failure.reason == FailureReason::none));
    if (!accepted) {
      CHECK(client.handshake.failure().reason == FailureReason::certificate_refused);
      CHECK(failure.alert_sent.has_value());
    }
    const std::string text = accepted ? "" : client.handshake.failure_text();
    if (version == TLS1_3_VERSION) CHECK(text == told);  // as in TLS 1.2
    told = text;
  }
  return told;
}

TEST_CASE("a certificate of a known authority is accepted under its names and addresses") {
  const Authority authority;
  const Certificate files =
      authority.leaf({.alt_names = "DNS:rpc.example,DNS:*.wild.example,IP:127.0.0.1,IP:2001:db8::7"});
  for (const char* name : {"rpc.example", "RPC.Example", "a.wild.example", "127.0.0.1", "2001:db8:0::7"}) {
    INFO(name);
    CHECK(verdict(files, authority.ca_file(), name).empty());
  }
}

TEST_CASE("another name than the certificate's is refused, and both are told") {
  const Authority authority;
  const Certificate files = authority.leaf({.alt_names = "DNS:rpc.example,DNS:*.wild.example,IP:127.0.0.1"});
  for (const char* name : {"other.example", "wild.example", "a.b.wild.example", "127.0.0.2", "::1"}) {
    INFO(name);
    CHECK(verdict(files, authority.ca_file(), name) ==
          "the server's certificate is for rpc.example, *.wild.example, 127.0.0.1, not for " + std::string(name));
  }
  CHECK(verdict(authority.leaf({.alt_names = "DNS:a.a,DNS:b.a,DNS:c.a,DNS:d.a,DNS:e.a,IP:10.0.0.1"}),
                authority.ca_file(),
                "f.a") == "the server's certificate is for a.a, b.a, c.a, d.a and 2 more, not for f.a");
  // An address is no host name, whatever a certificate says.
  CHECK_FALSE(verdict(authority.leaf({.alt_names = "DNS:127.0.0.1"}), authority.ca_file(), "127.0.0.1").empty());
}

std::string unknown_authority(const std::string& ca_file) {
  return "the server's certificate is signed by an authority that is not in " + ca_file +
         ", or the chain is not complete";
}

TEST_CASE("an unknown authority, a chain that is not complete and an unknown self-signed certificate are refused") {
  const Authority authority, other("Other");
  const std::string ca_file = other.ca_file();
  CHECK(verdict(authority.leaf({.alt_names = "DNS:rpc.example"}), ca_file, "rpc.example") ==
        unknown_authority(ca_file));
  CHECK(verdict(authority.leaf({.alt_names = "DNS:rpc.example"}, false), authority.ca_file(), "rpc.example") ==
        unknown_authority(authority.ca_file()));
  const Folder folder;
  CHECK(verdict(certificate_for(folder, {"localhost"}), ca_file, "localhost") ==
        "the server's certificate is self-signed, and is not in " + ca_file);
}

TEST_CASE("a self-signed certificate of Ringwall's stands for itself where it is named") {
  const Folder folder;
  for (const auto kind : {test::Kind::ecdsa, test::Kind::rsa}) {
    const Certificate files = certificate_for(folder, {"localhost"}, kind);
    CHECK(verdict(files, files.chain_file, "localhost").empty());
    CHECK(verdict(files, files.chain_file, "example.org") ==
          "the server's certificate is for localhost, not for example.org");
  }
}

TEST_CASE("a certificate out of its time is refused, and the time is told") {
  const Authority authority;
  const std::string expired =
      verdict(authority.leaf({.alt_names = "DNS:rpc.example", .from_s = -7200, .until_s = -3600}), authority.ca_file(),
              "rpc.example");
  CHECK(expired == "the server's certificate has expired, on " + day(test::now_s() - 3600));
  const std::string early =
      verdict(authority.leaf({.alt_names = "DNS:rpc.example", .from_s = 7200}), authority.ca_file(), "rpc.example");
  CHECK(early == "the server's certificate is not valid yet, only from " + day(test::now_s() + 7200));
}

TEST_CASE("without verification any certificate does") {
  const Authority authority;
  const auto context = test::client_context({.verify = false, .ca_file = "/nowhere"});
  OpensslServer server(authority.leaf({.alt_names = "DNS:rpc.example", .until_s = -60}, false), TLS1_3_VERSION);
  OurClient client(*context, "other.example");
  std::vector<std::byte> behind;
  CHECK(shake(client, server, behind));
}

TEST_CASE("a file of authorities that can't be used is told of when the context is loaded") {
  const Folder folder;
  const auto error_of = [](const std::string& file) {
    const auto loaded = ClientContext::load({.ca_file = file});
    REQUIRE_FALSE(loaded);
    return loaded.error().message;
  };
  CHECK(error_of("/nowhere/ca.pem").starts_with("/nowhere/ca.pem (the CA file): "));
  const std::string text = folder.write("text", "no certificate");
  CHECK(error_of(text) == text + ": no \"-----BEGIN CERTIFICATE-----\" in it; right is PEM");
  const std::string damaged = folder.write("damaged", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
  CHECK(error_of(damaged).starts_with(damaged + ": no certificate in it can be used: "));
}

}  // namespace
}  // namespace ringwall::tls
