#include "authority.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "unit/catch.h"

namespace ringwall::tls::test {
namespace {

template <typename Write>
std::string text_of(Write write) {
  BIO* memory = BIO_new(BIO_s_mem());
  REQUIRE(write(memory) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  REQUIRE(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Key ec_key(const char* curve) { return {EVP_EC_gen(curve), &EVP_PKEY_free}; }
Key rsa_key(unsigned bits) { return {EVP_RSA_gen(bits), &EVP_PKEY_free}; }
Key ed25519_key() { return {EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free}; }

Cert issue(EVP_PKEY* key, const Wanted& wanted, X509* issuer, EVP_PKEY* issuer_key) {
  static long serial = 1000;
  Cert made(X509_new(), &X509_free);
  X509* certificate = made.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.until_s);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
  add_extension(certificate, issuer ? issuer : certificate, NID_basic_constraints,
                wanted.ca ? "critical,CA:TRUE" : "CA:FALSE");
  add_extension(certificate, issuer ? issuer : certificate, NID_subject_key_identifier, "hash");
  if (wanted.ca)
    add_extension(certificate, issuer ? issuer : certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  if (!wanted.alt_names.empty())
    add_extension(certificate, certificate, NID_subject_alt_name, wanted.alt_names.c_str());
  EVP_PKEY* signer = issuer_key ? issuer_key : key;
  REQUIRE(X509_sign(certificate, signer, EVP_PKEY_is_a(signer, "ED25519") ? nullptr : EVP_sha256()) > 0);
  return made;
}

std::string pem(X509* certificate) {
  return text_of([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

std::string pem(EVP_PKEY* key) {
  return text_of([&](BIO* out) { return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

std::string traditional_pem(EVP_PKEY* key) {
  return text_of(
      [&](BIO* out) { return PEM_write_bio_PrivateKey_traditional(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

std::string encrypted_pem(EVP_PKEY* key) {
  char passphrase[] = "secret";
  return text_of([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), passphrase, 6, nullptr, nullptr);
  });
}

std::string ocsp_response(X509* leaf, X509* issuer, EVP_PKEY* issuer_key, const Status& status) {
  OCSP_BASICRESP* basic = OCSP_BASICRESP_new();
  OCSP_CERTID* id = OCSP_cert_to_id(EVP_sha1(), leaf, issuer);
  ASN1_TIME* this_update = X509_gmtime_adj(nullptr, status.this_s);
  ASN1_TIME* next_update = X509_gmtime_adj(nullptr, status.next_s);
  ASN1_TIME* revoked = status.verdict == V_OCSP_CERTSTATUS_REVOKED ? X509_gmtime_adj(nullptr, -30) : nullptr;
  REQUIRE(OCSP_basic_add1_status(basic, id, status.verdict, 0, revoked, this_update, next_update) != nullptr);
  REQUIRE(OCSP_basic_sign(basic, issuer, issuer_key, EVP_sha256(), nullptr, 0) == 1);
  OCSP_RESPONSE* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  unsigned char* data = nullptr;
  const int size = i2d_OCSP_RESPONSE(response, &data);
  REQUIRE(size > 0);
  std::string der(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(data);
  OCSP_RESPONSE_free(response);
  OCSP_BASICRESP_free(basic);
  OCSP_CERTID_free(id);
  ASN1_TIME_free(this_update);
  ASN1_TIME_free(next_update);
  ASN1_TIME_free(revoked);
  return der;
}

}  // namespace ringwall::tls::test
