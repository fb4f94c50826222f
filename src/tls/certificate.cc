#include <ringwall/tls/certificate.h>

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>

#include "library.h"
#include "read_file.h"
#include "x509.h"

namespace ringwall::tls {
namespace {

constexpr std::int64_t expiring_soon_s = 14 * 24 * 3600;

struct Chain {
  std::vector<PemBlock> blocks;
  std::vector<CertificateFacts> facts;
};

Result<Chain> read_chain(const std::string& path) {
  const auto text = read_file(path, "certificate");
  if (!text) return std::unexpected(text.error());
  Chain chain;
  bool has_key = false;
  for (PemBlock& block : read_pem(*text)) {
    has_key |= block.label.ends_with("PRIVATE KEY");
    if (block.label != "CERTIFICATE" && block.label != "X509 CERTIFICATE") continue;
    const auto facts = read_certificate(block.der);
    if (!facts) {
      return fail(path + ": certificate " + std::to_string(chain.facts.size() + 1) +
                  " in it can't be read: its base64 or its structure is damaged");
    }
    chain.facts.push_back(*facts);
    chain.blocks.push_back(std::move(block));
  }
  if (!chain.facts.empty()) return chain;
  if (has_key) {
    return fail(path + ": holds a private key and no certificate; are the certificate and key files swapped?");
  }
  if (!text->empty() && text->front() == '\x30') {
    return fail(path + ": looks like DER; right is PEM (openssl x509 -inform der -in " + path + ")");
  }
  return fail(path +
              ": no \"-----BEGIN CERTIFICATE-----\" in it; right is a PEM chain with the server's certificate first");
}

Result<PemBlock> read_key(const std::string& path) {
  const auto text = read_file(path, "private key");
  if (!text) return std::unexpected(text.error());
  bool has_certificate = false;
  for (PemBlock& block : read_pem(*text)) {
    has_certificate |= block.label == "CERTIFICATE";
    if (!block.label.ends_with("PRIVATE KEY")) continue;
    if (block.encrypted) {
      return fail(path + ": the private key is encrypted; right is one without passphrase (openssl pkey -in " + path +
                  " -out plain.pem), readable by the server's user only");
    }
    if (block.label == "PRIVATE KEY" || block.label == "EC PRIVATE KEY" || block.label == "RSA PRIVATE KEY")
      return block;
    return fail(path + ": a \"" + block.label + "\"; right is an ECDSA or RSA key in PEM");
  }
  if (has_certificate) {
    return fail(path + ": holds a certificate and no private key; are the certificate and key files swapped?");
  }
  if (!text->empty() && text->front() == '\x30') {
    return fail(path + ": looks like DER; right is PEM (openssl pkey -inform der -in " + path + ")");
  }
  return fail(path +
              ": no private key in it; right is PEM with \"-----BEGIN PRIVATE KEY-----\", \"-----BEGIN EC PRIVATE "
              "KEY-----\" or \"-----BEGIN RSA PRIVATE KEY-----\"");
}

Result<void> check_key_kind(const CertificateFacts& leaf, const std::string& path) {
  if (!leaf.key_kind) return fail(path + ": its key is neither RSA nor ECDSA; right is ECDSA on P-256, or RSA");
  if (*leaf.key_kind == KeyKind::ecdsa && leaf.key_bits == 0) {
    return fail(path + ": an ECDSA key on another curve than P-256 and P-384, the two that clients can verify");
  }
  if (*leaf.key_kind == KeyKind::rsa && (leaf.key_bits < 2048 || leaf.key_bits > 4096)) {
    return fail(path + ": an RSA key of " + std::to_string(leaf.key_bits) + " bits; right is 2048 to 4096");
  }
  return {};
}

enum class Fit : std::uint8_t { fits, differs, bad_certificate, bad_key, no_memory };

Fit fit(const PemBlock& certificate, const PemBlock& key) {
  const std::unique_ptr<WOLFSSL_CTX, void (*)(WOLFSSL_CTX*)> trial(wolfSSL_CTX_new(wolfTLS_server_method()),
                                                                   wolfSSL_CTX_free);
  if (!trial) return Fit::no_memory;
  const auto data = [](const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  if (wolfSSL_CTX_use_certificate_buffer(trial.get(), data(certificate.text),
                                         static_cast<long>(certificate.text.size()),
                                         WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS) {
    return Fit::bad_certificate;
  }
  if (wolfSSL_CTX_use_PrivateKey_buffer(trial.get(), data(key.text), static_cast<long>(key.text.size()),
                                        WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS) {
    return Fit::bad_key;
  }
  return wolfSSL_CTX_check_private_key(trial.get()) == WOLFSSL_SUCCESS ? Fit::fits : Fit::differs;
}

// The key must fit the first certificate. Where it fits another one of the chain, say so.
Result<void> check_pair(const Chain& chain, const PemBlock& key, const Certificate& files) {
  switch (fit(chain.blocks[0], key)) {
    case Fit::fits:
      return {};
    case Fit::no_memory:
      return fail("out of memory");
    case Fit::bad_certificate:
      return fail(files.chain_file + ": wolfSSL can't use its first certificate");
    case Fit::bad_key:
      return fail(files.key_file + ": the private key in it can't be read: its base64 or its structure is damaged");
    case Fit::differs:
      break;
  }
  for (std::size_t i = 1; i < chain.blocks.size(); ++i) {
    if (fit(chain.blocks[i], key) != Fit::fits) continue;
    return fail(files.chain_file + ": the key in " + files.key_file + " belongs to certificate " +
                std::to_string(i + 1) +
                " of the file; right is the server's certificate first, then those that signed it");
  }
  return fail(files.key_file + ": is not the key of the certificate in " + files.chain_file +
              "; right is the key that the certificate was made with");
}

void note_chain(const Chain& chain, Identity& identity) {
  const std::string& path = identity.files.chain_file;
  for (std::size_t i = 1; i < chain.facts.size(); ++i) {
    if (chain.facts[i - 1].issuer == chain.facts[i].subject) continue;
    identity.notes.push_back(path + ": certificate " + std::to_string(i + 1) +
                             " did not sign the one before it: " + "clients may refuse the chain");
  }
  if (chain.facts.size() == 1 && !identity.self_signed) {
    identity.notes.push_back(path + ": holds the server's certificate only: clients that don't know its issuer will " +
                             "refuse it (certbot: use fullchain.pem)");
  }
}

Result<void> read_ocsp(const Chain& chain, Identity& identity) {
  const std::string& path = identity.files.ocsp_file;
  if (path.empty()) return {};
  auto der = read_file(path, "OCSP response");
  if (!der) return std::unexpected(der.error());
  const auto facts = read_ocsp_response(*der);
  if (!facts) return fail(path + ": no successful OCSP response in DER (openssl ocsp -respout FILE makes one)");
  if (facts->serial != chain.facts[0].serial) {
    return fail(path + ": the OCSP response is for another certificate than the first in " + identity.files.chain_file);
  }
  if (!facts->good)
    identity.notes.push_back(path + ": the OCSP response says that the certificate is revoked or unknown");
  identity.ocsp_der = std::move(*der);
  identity.ocsp_next_update_s = facts->next_update_s;
  return {};
}

// Whoever reads the key can be this server.
void note_readers(const std::string& key_file, Identity& identity) {
  struct stat status{};
  if (stat(key_file.c_str(), &status) != 0 || (status.st_mode & S_IRWXO) == 0) return;
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 0777));
  identity.notes.push_back(key_file + ": every account of this machine may use the key (mode " + mode +
                           "): chmod o= " + key_file);
}

}  // namespace

Result<Identity> load_identity(const Certificate& files) {
  if (!start_library()) return fail("wolfSSL can't start");
  auto chain = read_chain(files.chain_file);
  if (!chain) return std::unexpected(chain.error());
  auto key = read_key(files.key_file);
  if (!key) return std::unexpected(key.error());
  const CertificateFacts& leaf = chain->facts[0];
  if (auto kind = check_key_kind(leaf, files.chain_file); !kind) return std::unexpected(kind.error());
  if (auto pair = check_pair(*chain, *key, files); !pair) return std::unexpected(pair.error());

  Identity identity;
  identity.files = files;
  for (const PemBlock& block : chain->blocks) identity.chain_pem += block.text;
  identity.key_pem = key->text;
  identity.names = leaf.names;
  identity.addresses = leaf.addresses;
  identity.key_kind = *leaf.key_kind;
  identity.key_bits = leaf.key_bits;
  identity.not_before_s = leaf.not_before_s;
  identity.not_after_s = leaf.not_after_s;
  identity.self_signed = leaf.issuer == leaf.subject;
  note_chain(*chain, identity);
  note_readers(files.key_file, identity);
  if (auto ocsp = read_ocsp(*chain, identity); !ocsp) return std::unexpected(ocsp.error());
  return identity;
}

std::string day(std::int64_t unix_s) {
  const std::time_t when = unix_s;
  std::tm parts{};
  gmtime_r(&when, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts)};
}

std::optional<std::string> expiry_warning(const Identity& identity, std::int64_t unix_now_s) {
  const std::string& path = identity.files.chain_file;
  if (unix_now_s >= identity.not_after_s) {
    return path + ": the certificate has expired on " + day(identity.not_after_s) + "; clients refuse it";
  }
  if (identity.not_after_s - unix_now_s >= expiring_soon_s) return std::nullopt;
  return path + ": the certificate expires on " + day(identity.not_after_s);
}

std::vector<std::string> warnings(const Identity& identity, std::int64_t unix_now_s) {
  std::vector<std::string> found = identity.notes;
  const std::string& path = identity.files.chain_file;
  if (unix_now_s < identity.not_before_s) {
    found.push_back(path + ": the certificate is valid only from " + day(identity.not_before_s) +
                    "; clients refuse it");
  }
  if (std::optional<std::string> expiry = expiry_warning(identity, unix_now_s)) found.push_back(std::move(*expiry));
  if (identity.names.empty() && identity.addresses.empty()) {
    found.push_back(path + ": the certificate has no host name and no address; clients refuse it");
  }
  if (identity.ocsp_next_update_s != 0 && unix_now_s >= identity.ocsp_next_update_s) {
    found.push_back(identity.files.ocsp_file + ": the OCSP response is out of date since " +
                    day(identity.ocsp_next_update_s) + "; nothing is stapled");
  }
  return found;
}

bool name_matches(std::string_view pattern, std::string_view host) {
  if (pattern == host) return !host.empty();
  if (!pattern.starts_with("*.")) return false;
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && host.substr(dot) == pattern.substr(1) &&
         pattern.find('.', 2) != std::string_view::npos;
}

}  // namespace ringwall::tls
