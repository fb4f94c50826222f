#include "x509.h"

#include <arpa/inet.h>

#include "der.h"

namespace ringwall::tls {
namespace {

using std::string_view_literals::operator""sv;

constexpr auto oid_common_name = "\x55\x04\x03"sv;
constexpr auto oid_subject_alt_name = "\x55\x1d\x11"sv;
constexpr auto oid_rsa = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"sv;
constexpr auto oid_ec = "\x2a\x86\x48\xce\x3d\x02\x01"sv;
constexpr auto oid_p256 = "\x2a\x86\x48\xce\x3d\x03\x01\x07"sv;
constexpr auto oid_p384 = "\x2b\x81\x04\x00\x22"sv;
constexpr auto oid_basic_ocsp = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01"sv;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// GeneralNames: dNSName is [2], iPAddress is [7] of 4 or 16 bytes (RFC 5280 section 4.2.1.6).
bool read_subject_alt_name(std::string_view value, CertificateFacts& facts) {
  auto list = der::expect(value, der::sequence);
  if (!list) return false;
  while (!list->empty()) {
    const auto name = der::next(*list);
    if (!name) return false;
    if (name->tag == der::context(2, false)) facts.names.push_back(lower(name->content));
    if (name->tag != der::context(7, false)) continue;
    char text[INET6_ADDRSTRLEN];
    const std::size_t size = name->content.size();
    if (size != 4 && size != 16) return false;
    if (inet_ntop(size == 4 ? AF_INET : AF_INET6, name->content.data(), text, sizeof text)) {
      facts.addresses.emplace_back(text);
    }
  }
  return true;
}

// Extensions: SEQUENCE OF { oid, critical BOOLEAN DEFAULT FALSE, OCTET STRING }. `found`: there was a SAN.
bool read_extensions(std::string_view wrapped, CertificateFacts& facts, bool& found) {
  auto list = der::expect(wrapped, der::sequence);
  if (!list) return false;
  while (!list->empty()) {
    auto extension = der::expect(*list, der::sequence);
    if (!extension) return false;
    const auto id = der::expect(*extension, der::oid);
    auto value = der::next(*extension);
    if (value && value->tag == der::boolean) value = der::next(*extension);
    if (!id || !value || value->tag != der::octet_string) return false;
    if (*id != oid_subject_alt_name) continue;
    found = true;
    if (!read_subject_alt_name(value->content, facts)) return false;
  }
  return true;
}

// The last commonName of a Name: SEQUENCE OF SET OF { oid, string }.
std::string common_name(std::string_view name) {
  std::string found;
  auto sets = der::expect(name, der::sequence);
  while (sets && !sets->empty()) {
    auto set = der::expect(*sets, der::set);
    if (!set) break;
    auto pair = der::expect(*set, der::sequence);
    if (!pair) break;
    const auto id = der::expect(*pair, der::oid);
    const auto value = der::next(*pair);
    if (id && value && *id == oid_common_name) found = lower(value->content);
  }
  return found;
}

bool read_public_key(std::string_view info, CertificateFacts& facts) {
  auto algorithm = der::expect(info, der::sequence);
  auto key = der::expect(info, der::bit_string);
  if (!algorithm || !key || key->empty()) return false;
  const auto id = der::expect(*algorithm, der::oid);
  if (!id) return false;
  if (*id == oid_ec) {
    facts.key_kind = KeyKind::ecdsa;
    const auto curve = der::expect(*algorithm, der::oid);
    if (curve && *curve == oid_p256) facts.key_bits = 256;
    if (curve && *curve == oid_p384) facts.key_bits = 384;
  } else if (*id == oid_rsa) {
    facts.key_kind = KeyKind::rsa;
    key->remove_prefix(1);
    auto pair = der::expect(*key, der::sequence);
    if (!pair) return false;
    auto modulus = der::expect(*pair, der::integer);
    if (!modulus) return false;
    while (!modulus->empty() && modulus->front() == '\0') modulus->remove_prefix(1);
    facts.key_bits = static_cast<std::uint32_t>(modulus->size() * 8);
  }
  return true;
}

// Skips line ends and blanks; empty when something else is in it.
std::string decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    std::uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z') {
      digit = static_cast<std::uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit = static_cast<std::uint32_t>(c - 'a' + 26);
    } else if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0' + 52);
    } else if (c == '+' || c == '/') {
      digit = c == '+' ? 62 : 63;
    } else if (c == '\n' || c == '\r' || c == ' ' || c == '\t' || c == '=') {
      continue;
    } else {
      return {};
    }
    bits = bits << 6 | digit;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out.push_back(static_cast<char>(bits >> have & 0xff));
    }
  }
  return out;
}

}  // namespace

std::optional<CertificateFacts> read_certificate(std::string_view der) {
  CertificateFacts facts;
  auto certificate = der::expect(der, der::sequence);
  if (!certificate) return std::nullopt;
  auto body = der::expect(*certificate, der::sequence);
  if (!body) return std::nullopt;

  auto first = der::next(*body);
  if (first && first->tag == der::context(0, true)) first = der::next(*body);
  if (!first || first->tag != der::integer) return std::nullopt;
  facts.serial = first->content;

  const auto signature = der::next(*body);
  const auto issuer = der::next(*body);
  auto validity = der::expect(*body, der::sequence);
  const auto subject = der::next(*body);
  const auto key = der::expect(*body, der::sequence);
  if (!signature || !issuer || !validity || !subject || !key) return std::nullopt;
  facts.issuer = issuer->whole;
  facts.subject = subject->whole;
  const auto not_before = der::read_time(*validity);
  const auto not_after = der::read_time(*validity);
  if (!not_before || !not_after || !read_public_key(*key, facts)) return std::nullopt;
  facts.not_before_s = *not_before;
  facts.not_after_s = *not_after;

  bool has_san = false;
  while (!body->empty()) {
    const auto field = der::next(*body);
    if (!field) return std::nullopt;
    if (field->tag == der::context(3, true) && !read_extensions(field->content, facts, has_san)) return std::nullopt;
  }
  if (!has_san) {
    if (std::string name = common_name(facts.subject); !name.empty()) facts.names.push_back(std::move(name));
  }
  return facts;
}

std::optional<OcspFacts> read_ocsp_response(std::string_view der) {
  auto response = der::expect(der, der::sequence);
  if (!response) return std::nullopt;
  const auto status = der::expect(*response, der::enumerated);
  if (!status || *status != "\0"sv) return std::nullopt;
  auto wrapped = der::expect(*response, der::context(0, true));
  auto bytes = wrapped ? der::expect(*wrapped, der::sequence) : std::nullopt;
  const auto kind = bytes ? der::expect(*bytes, der::oid) : std::nullopt;
  auto basic = kind && *kind == oid_basic_ocsp ? der::expect(*bytes, der::octet_string) : std::nullopt;
  auto signed_part = basic ? der::expect(*basic, der::sequence) : std::nullopt;
  auto data = signed_part ? der::expect(*signed_part, der::sequence) : std::nullopt;
  if (!data) return std::nullopt;

  std::optional<std::string_view> responses;
  while (!data->empty() && !responses) {  // after version [0], responderID [1] or [2], producedAt
    const auto field = der::next(*data);
    if (!field) return std::nullopt;
    if (field->tag == der::sequence) responses = field->content;
  }
  auto single = responses ? der::expect(*responses, der::sequence) : std::nullopt;
  auto id = single ? der::expect(*single, der::sequence) : std::nullopt;
  if (!id) return std::nullopt;

  OcspFacts facts;
  std::optional<der::Value> serial;
  for (int field = 0; field < 4; ++field) serial = der::next(*id);  // hash algorithm, two hashes, serial
  const auto verdict = der::next(*single);
  const auto this_update = der::read_time(*single);
  if (!serial || !verdict || !this_update) return std::nullopt;
  facts.serial = serial->content;
  facts.good = verdict->tag == der::context(0, false);
  facts.this_update_s = *this_update;
  if (auto next = der::expect(*single, der::context(0, true))) facts.next_update_s = der::read_time(*next).value_or(0);
  return facts;
}

std::vector<PemBlock> read_pem(std::string_view text) {
  std::vector<PemBlock> blocks;
  for (;;) {
    const std::size_t begin = text.find("-----BEGIN ");
    if (begin == std::string_view::npos) return blocks;
    text.remove_prefix(begin);
    const std::size_t label_end = text.find("-----", 11);
    if (label_end == std::string_view::npos) return blocks;
    PemBlock block;
    block.label = text.substr(11, label_end - 11);
    const std::string end_line = "-----END " + block.label + "-----";
    const std::size_t end = text.find(end_line, label_end);
    if (end == std::string_view::npos) return blocks;
    std::string_view body = text.substr(label_end + 5, end - label_end - 5);
    block.text = std::string(text.substr(0, end + end_line.size())) + "\n";
    block.encrypted = block.label == "ENCRYPTED PRIVATE KEY" || body.find("ENCRYPTED") != std::string_view::npos;
    if (!block.encrypted) block.der = decode_base64(body);
    blocks.push_back(std::move(block));
    text.remove_prefix(end + end_line.size());
  }
}

}  // namespace ringwall::tls
