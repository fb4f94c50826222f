// Files as people have them: what is accepted as it is, and what the error says when it is not.
#include <ringwall/tls/certificate.h>
#include <ringwall/tls/self_signed.h>

#include <sys/stat.h>

#include <cstdlib>

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

struct Files {
  Folder folder;
  Certificate given(const std::string& chain, const std::string& key, const std::string& ocsp = "") const {
    return {folder.write("chain.pem", chain), folder.write("key.pem", key),
            ocsp.empty() ? "" : folder.write("ocsp.der", ocsp)};
  }
  std::string error(const std::string& chain, const std::string& key, const std::string& ocsp = "") const {
    const auto loaded = load_identity(given(chain, key, ocsp));
    return loaded ? "accepted" : loaded.error().message;
  }
};

bool contains(const std::string& text, std::string_view part) {
  INFO(text << " | " << part);
  return text.find(part) != std::string::npos;
}

bool serves(const Certificate& files) {
  const Server server({files});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Stream stream(server.context);
    Client client({.version_min = version, .version_max = version});
    if (shake(stream, client) != End::both_done) return false;
  }
  return true;
}

TEST_CASE("keys in each usual form are accepted as they are, and serve") {
  const Files files;
  const test::Key p256 = test::ec_key(), p384 = test::ec_key("P-384"), rsa = test::rsa_key(), big = test::rsa_key(4096);
  for (EVP_PKEY* key : {p256.get(), p384.get(), rsa.get(), big.get()}) {
    const std::string chain = pem(test::issue(key, {}).get());
    CHECK(serves(files.given(chain, test::pem(key))));
    CHECK(serves(files.given(chain, test::traditional_pem(key))));
    CHECK(serves(files.given("subject=/CN=x\n\n" + chain + "\n", "# a comment\n" + test::pem(key) + "\n\n")));
  }
  // openssl ecparam -name prime256v1 -genkey
  const std::string parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  CHECK(serves(files.given(pem(test::issue(p256.get(), {}).get()), parameters + test::traditional_pem(p256.get()))));
  // Both in one file, and line ends of Windows.
  std::string both = test::pem(p256.get()) + pem(test::issue(p256.get(), {}).get());
  CHECK(serves(files.given(both, both)));
  for (std::size_t at = 0; (at = both.find('\n', at)) != std::string::npos; at += 2) both.replace(at, 1, "\r\n");
  CHECK(serves(files.given(both, both)));
}

TEST_CASE("names, addresses, dates and key of the leaf are known") {
  const Files files;
  const test::Key key = test::rsa_key();
  const auto made =
      test::issue(key.get(), {.alt_names = "DNS:A.example,DNS:*.B.example,IP:127.0.0.1,IP:::1,email:x@y"});
  const auto loaded = load_identity(files.given(pem(made.get()), test::pem(key.get())));
  REQUIRE(loaded);
  CHECK(loaded->names == std::vector<std::string>{"a.example", "*.b.example"});
  CHECK(loaded->addresses == std::vector<std::string>{"127.0.0.1", "::1"});
  CHECK(loaded->key_kind == KeyKind::rsa);
  CHECK(loaded->key_bits == 2048);
  CHECK(loaded->self_signed);
  CHECK(std::abs(loaded->not_before_s - (test::now_s() - 3600)) < 5);
  CHECK(std::abs(loaded->not_after_s - (test::now_s() + 90 * 24 * 3600)) < 5);
  CHECK(warnings(*loaded, test::now_s()).empty());
}

TEST_CASE("the common name counts only where there is no SAN") {
  const Files files;
  const test::Key key = test::ec_key();
  const auto without = load_identity(
      files.given(pem(test::issue(key.get(), {.common_name = "Old.Example"}).get()), test::pem(key.get())));
  REQUIRE(without);
  CHECK(without->names == std::vector<std::string>{"old.example"});
  const auto with =
      load_identity(files.given(pem(test::issue(key.get(), {.alt_names = "IP:10.0.0.1"}).get()), test::pem(key.get())));
  REQUIRE(with);
  CHECK(with->names.empty());
  CHECK(with->addresses.size() == 1);
}

TEST_CASE("certbot's chain is accepted: leaf, then its issuers") {
  const Files files;
  const test::Key root_key = test::ec_key(), middle_key = test::rsa_key(), key = test::ec_key();
  const auto root = test::issue(root_key.get(), {.common_name = "Root", .ca = true});
  const auto middle = test::issue(middle_key.get(), {.common_name = "Middle", .ca = true}, root.get(), root_key.get());
  const auto leaf = test::issue(key.get(), {.alt_names = "DNS:rpc.example"}, middle.get(), middle_key.get());
  const std::string private_key = test::pem(key.get());
  const Certificate given = files.given(pem(leaf.get()) + pem(middle.get()), private_key);
  const auto loaded = load_identity(given);
  REQUIRE(loaded);
  CHECK(!loaded->self_signed);
  CHECK(warnings(*loaded, test::now_s()).empty());

  const std::string trust = files.folder.write("root.pem", pem(root.get()));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Server server({given});
    Stream stream(server.context);
    Client client({.version_min = version, .version_max = version, .server_name = "rpc.example", .trust_file = trust});
    CHECK(shake(stream, client) == End::both_done);
  }

  SECTION("a leaf alone is noted") {
    const auto alone = load_identity(files.given(pem(leaf.get()), private_key));
    REQUIRE(alone);
    REQUIRE(warnings(*alone, test::now_s()).size() == 1);
    CHECK(contains(warnings(*alone, test::now_s())[0], "fullchain.pem"));
  }
  SECTION("a gap in the chain is noted") {
    const auto gap = load_identity(files.given(pem(leaf.get()) + pem(root.get()), private_key));
    REQUIRE(gap);
    REQUIRE(warnings(*gap, test::now_s()).size() == 1);
    CHECK(contains(warnings(*gap, test::now_s())[0], "certificate 2 did not sign"));
  }
  SECTION("a chain in the wrong order is refused, with the right order") {
    const std::string error = files.error(pem(middle.get()) + pem(leaf.get()), private_key);
    CHECK(contains(error, "belongs to certificate 2"));
    CHECK(contains(error, "server's certificate first"));
  }
}

TEST_CASE("what is wrong with a certificate or a key is said with file and remedy") {
  const Files files;
  const test::Key key = test::ec_key(), other = test::ec_key(), rsa = test::rsa_key();
  const std::string chain = pem(test::issue(key.get(), {}).get()), private_key = test::pem(key.get());
  CHECK(files.error(chain, private_key) == "accepted");

  CHECK(contains(files.error(chain, test::pem(other.get())), "key.pem: is not the key of the certificate in"));
  CHECK(contains(files.error(chain, test::pem(rsa.get())), "is not the key of the certificate"));
  CHECK(contains(files.error(private_key, chain), "swapped"));
  CHECK(contains(files.error(chain, chain), "holds a certificate and no private key"));
  CHECK(contains(files.error("", private_key), "no \"-----BEGIN CERTIFICATE-----\""));
  CHECK(contains(files.error(chain, ""), "no private key in it"));
  CHECK(contains(files.error(chain, test::encrypted_pem(key.get())), "encrypted"));
  CHECK(
      contains(files.error(chain,
                           "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n"
                           "-----END EC PRIVATE KEY-----\n"),
               "encrypted"));
  CHECK(contains(files.error("\x30\x82\x01", private_key), "DER"));
  CHECK(contains(files.error(chain, "\x30\x82\x01"), "DER"));
  CHECK(
      contains(files.error("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", private_key), "damaged"));
  CHECK(contains(files.error(chain, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "damaged"));
  CHECK(contains(files.error(chain, "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n"), "DSA"));
  std::string cut = chain;
  cut.resize(cut.size() / 2);
  CHECK(contains(files.error(cut, private_key), "no \"-----BEGIN CERTIFICATE-----\""));

  const auto missing = load_identity({files.folder.path + "/none.pem", files.folder.path + "/key.pem", ""});
  REQUIRE(!missing);
  CHECK(contains(missing.error().message, "none.pem (the certificate): No such file"));
  CHECK(!load_identity({files.folder.path, files.folder.path, ""}));
  CHECK(!load_identity({"", "", ""}));
}

TEST_CASE("keys that clients can't verify, or that are too small, are refused") {
  const Files files;
  const auto error = [&](const test::Key& key) {
    return files.error(pem(test::issue(key.get(), {}).get()), test::pem(key.get()));
  };
  CHECK(contains(error(test::rsa_key(1024)), "1024 bits; right is 2048 to 4096"));
  CHECK(contains(error(test::ec_key("P-521")), "another curve"));
  CHECK(contains(error(test::ec_key("secp256k1")), "another curve"));
  CHECK(contains(error(test::ed25519_key()), "neither RSA nor ECDSA"));
}

TEST_CASE("a certificate cut or changed anywhere is an error or a certificate, never more") {
  const Files files;
  const test::Key key = test::ec_key();
  SelfSignedRequest request{.names = {"a.example", "::1"}, .unix_now_s = test::now_s()};
  const auto made = make_self_signed(request);
  REQUIRE(made);
  for (std::size_t at = 28; at < made->certificate_pem.size(); at += 3) {
    std::string changed = made->certificate_pem;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK(!files.error(changed, made->key_pem).empty());
  }
}

TEST_CASE("a key that every account may read is told with its cure, one of the group's is not") {
  const Files files;
  const test::Key key = test::ec_key();
  const Certificate given = files.given(pem(test::issue(key.get(), {}).get()), test::pem(key.get()));
  const auto warned = [&](mode_t mode) {
    REQUIRE(chmod(given.key_file.c_str(), mode) == 0);
    const auto loaded = load_identity(given);
    REQUIRE(loaded);
    return warnings(*loaded, test::now_s());
  };
  CHECK(warned(0640).empty());
  REQUIRE(warned(0644).size() == 1);
  CHECK(contains(warned(0644)[0], "(mode 0644): chmod o= " + given.key_file));
}

TEST_CASE("dates give warnings, not errors") {
  const Files files;
  const test::Key key = test::ec_key();
  const auto warned = [&](long from_s, long until_s) {
    const auto made = test::issue(key.get(), {.from_s = from_s, .until_s = until_s});
    const auto loaded = load_identity(files.given(pem(made.get()), test::pem(key.get())));
    REQUIRE(loaded);
    const auto list = warnings(*loaded, test::now_s());
    return list.empty() ? std::string("none") : list[0];
  };
  constexpr long day = 24 * 3600;
  CHECK(warned(-day, 90 * day) == "none");
  CHECK(contains(warned(-2 * day, -day), "has expired on"));
  CHECK(contains(warned(day, 90 * day), "valid only from"));
  CHECK(contains(warned(-day, 13 * day), "expires on"));
  CHECK(warned(-day, 15 * day) == "none");
  CHECK(contains(warned(-day, 40 * 365 * day), "none"));  // past 2049: another form of date
}

}  // namespace
}  // namespace ringwall::tls
