#include <ringwall/tls/self_signed.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "der.h"
#include "library.h"

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/signature.h>

namespace ringwall::tls {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t names_max = 64;
constexpr std::size_t host_name_bytes_max = 253;
constexpr std::size_t common_name_bytes_max = 64;  // ub-common-name, RFC 5280 appendix A.1
constexpr std::uint32_t days_max = 10 * 366;
constexpr std::int64_t day_s = 24 * 3600;
constexpr std::int64_t clock_slack_s = 3600;
constexpr std::size_t der_bytes_max = 8 * 1024;  // of a key; one of RSA 4096 takes 2,400

constexpr auto oid_common_name = "\x55\x04\x03"sv;
constexpr auto oid_subject_key_id = "\x55\x1d\x0e"sv;
constexpr auto oid_key_usage = "\x55\x1d\x0f"sv;
constexpr auto oid_subject_alt_name = "\x55\x1d\x11"sv;
constexpr auto oid_basic_constraints = "\x55\x1d\x13"sv;
constexpr auto oid_authority_key_id = "\x55\x1d\x23"sv;
constexpr auto oid_extended_key_usage = "\x55\x1d\x25"sv;
constexpr auto oid_server_auth = "\x2b\x06\x01\x05\x05\x07\x03\x01"sv;
constexpr auto oid_rsa = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"sv;
constexpr auto oid_sha256_with_rsa = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"sv;
constexpr auto oid_ecdsa_with_sha256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02"sv;

byte* bytes(std::string& text) { return reinterpret_cast<byte*>(text.data()); }
const byte* bytes(std::string_view text) { return reinterpret_cast<const byte*>(text.data()); }

class Random {
 public:
  Random() : ready_(wc_InitRng(&rng_) == 0) {}
  ~Random() {
    if (ready_) wc_FreeRng(&rng_);
  }
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;

  [[nodiscard]] WC_RNG* get() { return ready_ ? &rng_ : nullptr; }

 private:
  WC_RNG rng_{};
  bool ready_;
};

// A wolfCrypt function that writes DER into a buffer and returns its size or an error.
template <typename Write>
std::optional<std::string> der_of(Write write) {
  std::string out(der_bytes_max, '\0');
  const int size = write(bytes(out), static_cast<word32>(out.size()));
  if (size <= 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(size));
  return out;
}

// A key pair as the certificate needs it: SubjectPublicKeyInfo, PKCS#8, and a signature with SHA-256.
class KeyPair {
 public:
  explicit KeyPair(SelfSignedKey kind) : is_rsa_(kind != SelfSignedKey::ecdsa_p256) {
    if (!random_.get()) return;
    if (is_rsa_) {
      const int bits = kind == SelfSignedKey::rsa_2048 ? 2048 : kind == SelfSignedKey::rsa_3072 ? 3072 : 4096;
      initialized_ = wc_InitRsaKey(&rsa_, nullptr) == 0;
      made_ = initialized_ && wc_MakeRsaKey(&rsa_, bits, WC_RSA_EXPONENT, random_.get()) == 0 &&
              wc_RsaSetRNG(&rsa_, random_.get()) == 0;
    } else {
      initialized_ = wc_ecc_init(&ecc_) == 0;
      made_ = initialized_ && wc_ecc_make_key_ex(random_.get(), 32, &ecc_, ECC_SECP256R1) == 0;
    }
  }
  ~KeyPair() {
    if (initialized_ && is_rsa_) wc_FreeRsaKey(&rsa_);
    if (initialized_ && !is_rsa_) wc_ecc_free(&ecc_);
  }
  KeyPair(const KeyPair&) = delete;
  KeyPair& operator=(const KeyPair&) = delete;

  [[nodiscard]] bool made() const { return made_; }
  [[nodiscard]] WC_RNG* random() { return random_.get(); }

  [[nodiscard]] std::optional<std::string> public_info() {
    return der_of([&](byte* out, word32 size) {
      return is_rsa_ ? wc_RsaKeyToPublicDer(&rsa_, out, size) : wc_EccPublicKeyToDer(&ecc_, out, size, 1);
    });
  }
  [[nodiscard]] std::optional<std::string> private_info() {
    if (!is_rsa_) {
      return der_of([&](byte* out, word32 size) { return wc_EccKeyToPKCS8(&ecc_, out, &size) < 0 ? -1 : int(size); });
    }
    const auto key = der_of([&](byte* out, word32 size) { return wc_RsaKeyToDer(&rsa_, out, size); });
    if (!key) return std::nullopt;
    return der::write(der::sequence, {der::write(der::integer, {"\0"sv}),
                                      der::write(der::sequence, {der::write(der::oid, {oid_rsa}), "\x05\0"sv}),
                                      der::write(der::octet_string, {*key})});
  }
  [[nodiscard]] std::string signature_algorithm() const {
    if (is_rsa_) return der::write(der::sequence, {der::write(der::oid, {oid_sha256_with_rsa}), "\x05\0"sv});
    return der::write(der::sequence, {der::write(der::oid, {oid_ecdsa_with_sha256})});
  }
  [[nodiscard]] std::optional<std::string> sign(std::string_view text) {
    const auto type = is_rsa_ ? WC_SIGNATURE_TYPE_RSA_W_ENC : WC_SIGNATURE_TYPE_ECC;
    const void* key = is_rsa_ ? static_cast<const void*>(&rsa_) : static_cast<const void*>(&ecc_);
    const auto key_size = static_cast<word32>(is_rsa_ ? sizeof rsa_ : sizeof ecc_);
    const int room = wc_SignatureGetSize(type, key, key_size);
    if (room <= 0) return std::nullopt;
    std::string out(static_cast<std::size_t>(room), '\0');
    auto size = static_cast<word32>(room);
    if (wc_SignatureGenerate(WC_HASH_TYPE_SHA256, type, bytes(text), static_cast<word32>(text.size()), bytes(out),
                             &size, key, key_size, random_.get()) != 0) {
      return std::nullopt;
    }
    out.resize(size);
    return out;
  }

 private:
  Random random_;
  const bool is_rsa_;
  bool initialized_ = false, made_ = false;
  RsaKey rsa_{};
  ecc_key ecc_{};
};

bool is_host_name(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.empty() || name.size() > host_name_bytes_max) return false;
  std::size_t label = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '.') {
      if (label == 0 || name[i - 1] == '-') return false;
      label = 0;
      continue;
    }
    const bool inner = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (c == '-' && label > 0);
    if (!inner || ++label > 63) return false;
  }
  return label > 0 && name.back() != '-';
}

// One GeneralName: iPAddress [7] for what reads as an address, else dNSName [2] (RFC 5280 section 4.2.1.6).
std::optional<std::string> general_name(std::string name) {
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
  std::array<char, 16> address{};
  for (const auto& [family, size] : {std::pair{AF_INET, 4U}, std::pair{AF_INET6, 16U}}) {
    if (inet_pton(family, name.c_str(), address.data()) == 1) {
      return der::write(der::context(7, false), {std::string_view(address.data(), size)});
    }
  }
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  // A last label of digits only is a mistyped address, not a name.
  const std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
  const bool numeric = std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (numeric || !is_host_name(name)) return std::nullopt;
  return der::write(der::context(2, false), {name});
}

std::string extension(std::string_view id, bool critical, std::string_view value) {
  return der::write(der::sequence, {der::write(der::oid, {id}), critical ? "\x01\x01\xff"sv : ""sv,
                                    der::write(der::octet_string, {value})});
}

// Not a CA: rustls refuses a CA's certificate as a server's, and OpenSSL and Node trust a self-signed one that is in
// their store either way.
std::string extensions(std::string_view alt_names, std::string_view public_info) {
  std::array<byte, WC_SHA256_DIGEST_SIZE> digest{};
  wc_Sha256Hash(bytes(public_info), static_cast<word32>(public_info.size()), digest.data());
  const std::string_view key_id(reinterpret_cast<const char*>(digest.data()), 20);  // RFC 7093 section 2
  const std::string list = der::write(
      der::sequence,
      {extension(oid_basic_constraints, true, der::write(der::sequence, {})),
       extension(oid_key_usage, true, der::write(der::bit_string, {"\x07\x80"sv})),  // digitalSignature
       extension(oid_extended_key_usage, false, der::write(der::sequence, {der::write(der::oid, {oid_server_auth})})),
       extension(oid_subject_alt_name, false, der::write(der::sequence, {alt_names})),
       extension(oid_subject_key_id, false, der::write(der::octet_string, {key_id})),
       extension(oid_authority_key_id, false,
                 der::write(der::sequence, {der::write(der::context(0, false), {key_id})}))});
  return der::write(der::context(3, true), {list});
}

std::string name_of(std::string_view common_name) {
  const std::string pair =
      der::write(der::sequence, {der::write(der::oid, {oid_common_name}), der::write(der::utf8_string, {common_name})});
  return der::write(der::sequence, {der::write(der::set, {pair})});
}

std::string pem(std::string_view label, std::string_view der) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = "-----BEGIN " + std::string(label) + "-----\n";
  for (std::size_t i = 0; i < der.size(); i += 3) {
    const auto at = [&](std::size_t k) { return k < der.size() ? static_cast<std::uint8_t>(der[k]) : std::uint8_t{0}; };
    const std::uint32_t bits = std::uint32_t{at(i)} << 16 | std::uint32_t{at(i + 1)} << 8 | at(i + 2);
    const std::size_t have = std::min<std::size_t>(3, der.size() - i);
    for (std::size_t k = 0; k < 4; ++k) out.push_back(k <= have ? digits[bits >> (18 - 6 * k) & 63] : '=');
    if (i % 48 == 45 || i + 3 >= der.size()) out.push_back('\n');
  }
  return out + "-----END " + std::string(label) + "-----\n";
}

Result<std::string> alt_names_of(const SelfSignedRequest& request) {
  if (request.names.empty()) return fail("a certificate needs at least one host name or IP address");
  if (request.names.size() > names_max) {
    return fail(std::to_string(request.names.size()) + " names for a certificate; right is at most " +
                std::to_string(names_max));
  }
  std::string all;
  for (const std::string& name : request.names) {
    const auto one = general_name(name);
    if (!one) return fail("\"" + name + "\" is neither a host name nor an IP address");
    all += *one;
  }
  return all;
}

}  // namespace

Result<SelfSigned> make_self_signed(const SelfSignedRequest& request) {
  if (!start_library()) return fail("wolfSSL can't start");
  const auto alt_names = alt_names_of(request);
  if (!alt_names) return std::unexpected(alt_names.error());
  if (request.days == 0 || request.days > days_max) {
    return fail(std::to_string(request.days) + " days of validity; right is 1 to " + std::to_string(days_max));
  }
  KeyPair key(request.key);
  std::string serial(16, '\0');
  if (!key.made() || wc_RNG_GenerateBlock(key.random(), bytes(serial), static_cast<word32>(serial.size())) != 0) {
    return fail("wolfSSL can't make a key");
  }
  serial[0] = static_cast<char>((serial[0] & 0x3f) | 0x40);  // positive, and always of 16 bytes
  const auto public_info = key.public_info();
  const auto private_info = key.private_info();
  if (!public_info || !private_info) return fail("wolfSSL can't write the key");

  const std::string name = name_of(std::string_view(request.names[0]).substr(0, common_name_bytes_max));
  const std::string validity = der::write(der::sequence, {der::write_time(request.unix_now_s - clock_slack_s),
                                                          der::write_time(request.unix_now_s + request.days * day_s)});
  const std::string body =
      der::write(der::sequence, {der::write(der::context(0, true), {der::write(der::integer, {"\x02"sv})}),
                                 der::write(der::integer, {serial}), key.signature_algorithm(), name, validity, name,
                                 *public_info, extensions(*alt_names, *public_info)});
  const auto signature = key.sign(body);
  if (!signature) return fail("wolfSSL can't sign the certificate");
  const std::string certificate =
      der::write(der::sequence, {body, key.signature_algorithm(), der::write(der::bit_string, {"\0"sv, *signature})});
  return SelfSigned{pem("CERTIFICATE", certificate), pem("PRIVATE KEY", *private_info)};
}

}  // namespace ringwall::tls
