#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <ringwall/tls/self_signed.h>
#include <sys/stat.h>

#include <fstream>
#include <set>

#include "authority.h"
#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::Client;
using test::End;
using test::Folder;
using test::Server;
using test::Stream;

test::Cert parsed(const std::string& text) {
  BIO* in = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  test::Cert certificate(PEM_read_bio_X509(in, nullptr, nullptr, nullptr), &X509_free);
  BIO_free(in);
  REQUIRE(certificate != nullptr);
  return certificate;
}

// OpenSSL's verdict on it as a server's certificate, with itself as the only trust anchor, strictly.
std::string verdict(X509* certificate, const char* host, const char* address) {
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, certificate);
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, certificate, nullptr);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  if (host) X509_VERIFY_PARAM_set1_host(parameters, host, 0);
  if (address) X509_VERIFY_PARAM_set1_ip_asc(parameters, address);
  X509_verify_cert(context);
  const std::string text = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return text;
}

SelfSigned made_for(std::vector<std::string> names, SelfSignedKey key = SelfSignedKey::ecdsa_p256) {
  const auto made = make_self_signed({.names = std::move(names), .key = key, .unix_now_s = test::now_s()});
  REQUIRE(made);
  return *made;
}

TEST_CASE("OpenSSL accepts a self-signed certificate for each of its names and addresses, and no others") {
  for (const SelfSignedKey key : {SelfSignedKey::ecdsa_p256, SelfSignedKey::rsa_2048}) {
    const SelfSigned made = made_for({"localhost", "*.rpc.Example", "127.0.0.1", "::1", "[fe80::1]"}, key);
    const test::Cert certificate = parsed(made.certificate_pem);
    CHECK(verdict(certificate.get(), "localhost", nullptr) == "ok");
    CHECK(verdict(certificate.get(), "a.rpc.example", nullptr) == "ok");
    CHECK(verdict(certificate.get(), nullptr, "127.0.0.1") == "ok");
    CHECK(verdict(certificate.get(), nullptr, "::1") == "ok");
    CHECK(verdict(certificate.get(), nullptr, "fe80::1") == "ok");
    CHECK(verdict(certificate.get(), "example.org", nullptr) == "hostname mismatch");
    CHECK(verdict(certificate.get(), nullptr, "127.0.0.2") == "IP address mismatch");
  }
}

TEST_CASE("it says what it is for: serverAuth, no CA, a random serial of 16 bytes, the validity that was asked for") {
  const std::int64_t now = test::now_s();
  const auto made = make_self_signed({.names = {"a.example"}, .days = 30, .unix_now_s = now});
  REQUIRE(made);
  const test::Cert certificate = parsed(made->certificate_pem);
  CHECK(X509_get_version(certificate.get()) == X509_VERSION_3);
  CHECK(X509_get_extended_key_usage(certificate.get()) == XKU_SSL_SERVER);
  CHECK(X509_get_key_usage(certificate.get()) == KU_DIGITAL_SIGNATURE);
  CHECK(X509_check_ca(certificate.get()) == 0);
  CHECK((X509_get_extension_flags(certificate.get()) & (EXFLAG_SS | EXFLAG_INVALID)) == EXFLAG_SS);
  CHECK(ASN1_STRING_length(X509_get0_serialNumber(certificate.get())) == 16);
  CHECK(ASN1_STRING_type(X509_get0_serialNumber(certificate.get())) == V_ASN1_INTEGER);
  std::time_t from = now - 3600, until = now + 30 * 24 * 3600;
  CHECK(X509_cmp_time(X509_get0_notBefore(certificate.get()), &from) == -1);  // -1 stands for equal, too
  CHECK(X509_cmp_time(X509_get0_notAfter(certificate.get()), &until) == -1);
  from -= 1;
  until -= 1;
  CHECK(X509_cmp_time(X509_get0_notBefore(certificate.get()), &from) == 1);
  CHECK(X509_cmp_time(X509_get0_notAfter(certificate.get()), &until) == 1);

  std::set<std::string> serials;
  for (int i = 0; i < 20; ++i) {
    const test::Cert other = parsed(made_for({"a.example"}).certificate_pem);
    const ASN1_INTEGER* serial = X509_get0_serialNumber(other.get());
    CHECK(serials.emplace(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)), 16).second);
  }
}

TEST_CASE("it serves a client that trusts it and nothing else") {
  const Folder folder;
  for (const SelfSignedKey key : {SelfSignedKey::ecdsa_p256, SelfSignedKey::rsa_2048, SelfSignedKey::rsa_3072}) {
    const SelfSigned made = made_for({"localhost"}, key);
    const Certificate files{folder.write("a.crt", made.certificate_pem), folder.write("a.key", made.key_pem), ""};
    const Server server({files});
    CHECK(server.context->warnings().empty());
    CHECK(server.context->certificate(0).self_signed);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      Stream stream(server.context);
      Client client(
          {.version_min = version, .version_max = version, .server_name = "localhost", .trust_file = files.chain_file});
      CHECK(shake(stream, client) == End::both_done);
    }
  }
}

TEST_CASE("names that are neither host names nor addresses are refused by name") {
  for (const std::string name : {"", "a b", "-a.example", "a-.example", "a..b", ".a", "a.", "*.", "*", "a.*.b", "1.2.3",
                                 "1.2.3.256", "a/b", "a:b", "\xc3\xa4.example", "[::1", "localhost:8443"}) {
    const auto made = make_self_signed({.names = {"good.example", name}, .unix_now_s = test::now_s()});
    REQUIRE(!made);
    CHECK(made.error().message == "\"" + name + "\" is neither a host name nor an IP address");
  }
  CHECK(!make_self_signed({.names = {std::string(64, 'a') + ".example"}}));
  CHECK(make_self_signed({.names = {std::string(63, 'a') + ".example"}, .unix_now_s = test::now_s()}));
  CHECK(!make_self_signed({.names = {}}));
  CHECK(!make_self_signed({.names = std::vector<std::string>(65, "a.example")}));
  CHECK(make_self_signed({.names = std::vector<std::string>(64, "a.example"), .unix_now_s = test::now_s()}));
  CHECK(!make_self_signed({.names = {"a.example"}, .days = 0}));
  CHECK(!make_self_signed({.names = {"a.example"}, .days = 3661}));
}

mode_t mode_of(const std::string& path) {
  struct stat about{};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  return about.st_mode & 07777;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("a private file is replaced at once, whole, and readable by its owner only") {
  const Folder folder;
  const std::string path = folder.path + "/key.pem";
  REQUIRE(write_public(path, "old"));
  CHECK(mode_of(path) == 0644);
  REQUIRE(write_private(path, "new and longer"));
  CHECK(mode_of(path) == 0600);
  CHECK(content_of(path) == "new and longer");
  REQUIRE(write_private(path, ""));
  CHECK(content_of(path).empty());

  const auto nowhere = write_private(folder.path + "/none/key.pem", "x");
  REQUIRE(!nowhere);
  CHECK(nowhere.error().message.find("No such file") != std::string::npos);
  const auto onto_folder = write_private(folder.path, "x");
  REQUIRE(!onto_folder);
}

}  // namespace
}  // namespace ringwall::tls
