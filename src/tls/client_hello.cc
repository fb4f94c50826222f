#include <ringwall/tls/client_hello.h>

#include <algorithm>
#include <string_view>

#include <ringwall/check.h>

namespace ringwall::tls {
namespace {

// Reads big-endian fields from the front; once a field does not fit, everything after reads as empty and ok() is false.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const std::byte byte : take(size)) value = value << 8 | std::to_integer<std::uint32_t>(byte);
    return value;
  }
  std::span<const std::byte> take(std::size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const auto front = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return front;
  }
  // A vector whose length is given in its first `size` bytes.
  std::span<const std::byte> vector(std::size_t size) { return take(number(size)); }

 private:
  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

// What decides which keys the client can verify. Suites decide in TLS 1.2 only, where they name the kind of key.
struct Abilities {
  bool suite_ecdsa = false, suite_rsa = false;
  bool algorithms_seen = false;
  bool ecdsa_any = false, ecdsa_p256 = false, ecdsa_p384 = false;
  bool rsa_pss = false, rsa_any = false;
  bool groups_seen = false, x25519 = false, p256 = false, p384 = false;
};

void read_suites(Reader suites, Abilities& can) {
  while (!suites.empty()) {
    switch (suites.number(2)) {
      case 0xC02B:  // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
      case 0xC02C:  // TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
      case 0xCCA9:  // TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        can.suite_ecdsa = true;
        break;
      case 0xC02F:  // TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
      case 0xC030:  // TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
      case 0xCCA8:  // TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        can.suite_rsa = true;
        break;
      default:
        break;
    }
  }
}

void read_signature_algorithms(Reader algorithms, Abilities& can) {
  can.algorithms_seen = true;
  while (!algorithms.empty()) {
    const std::uint32_t scheme = algorithms.number(2);
    if (scheme == 0x0403) can.ecdsa_p256 = true;
    if (scheme == 0x0503) can.ecdsa_p384 = true;
    if (scheme == 0x0403 || scheme == 0x0503 || scheme == 0x0603) can.ecdsa_any = true;
    if (scheme >= 0x0804 && scheme <= 0x0806) can.rsa_pss = true;
    if (can.rsa_pss || scheme == 0x0401 || scheme == 0x0501 || scheme == 0x0601) can.rsa_any = true;
  }
}

void read_groups(Reader groups, Abilities& can) {
  can.groups_seen = true;
  while (!groups.empty()) {
    const std::uint32_t group = groups.number(2);
    if (group == 23) can.p256 = true;
    if (group == 24) can.p384 = true;
    if (group == 29) can.x25519 = true;
  }
}

// The first host_name, in lower case; empty if it holds anything that a host name cannot, so that it is safe to log.
std::string host_name(Reader list) {
  while (!list.empty()) {
    const bool is_host_name = list.number(1) == 0;
    const auto bytes = list.vector(2);
    if (!is_host_name) continue;
    if (bytes.size() > 253) return {};
    std::string name;
    for (const std::byte byte : bytes) {
      char c = static_cast<char>(byte);
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
      if (!fits) return {};
      name.push_back(c);
    }
    return name;
  }
  return {};
}

bool has_http11(Reader protocols) {
  while (!protocols.empty()) {
    const auto bytes = protocols.vector(1);
    if (std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == "http/1.1") return true;
  }
  return false;
}

void read_versions(Reader versions, ClientHello& hello) {
  hello.tls12 = false;
  while (!versions.empty()) {
    const std::uint32_t version = versions.number(2);
    if (version == 0x0304) hello.tls13 = true;
    if (version == 0x0303) hello.tls12 = true;
  }
}

void read_extension(std::uint32_t type, Reader body, ClientHello& hello, Abilities& can) {
  switch (type) {
    case 0:  // server_name
      hello.server_name = host_name(Reader(body.vector(2)));
      break;
    case 10:  // supported_groups
      read_groups(Reader(body.vector(2)), can);
      break;
    case 13:  // signature_algorithms
      read_signature_algorithms(Reader(body.vector(2)), can);
      break;
    case 16:  // application_layer_protocol_negotiation
      hello.alpn = true;
      hello.alpn_http11 = has_http11(Reader(body.vector(2)));
      break;
    case 43:  // supported_versions
      read_versions(Reader(body.vector(1)), hello);
      break;
    default:
      break;
  }
}

void judge(const Abilities& can, ClientHello& hello) {
  hello.group = can.x25519 || can.p256 || !can.groups_seen;
  if (hello.tls13) {
    hello.ecdsa_p256 = can.ecdsa_p256;
    hello.ecdsa_p384 = can.ecdsa_p384;
    hello.rsa = can.rsa_pss;
    return;
  }
  const bool ecdsa = can.suite_ecdsa && can.algorithms_seen && can.ecdsa_any;
  hello.ecdsa_p256 = ecdsa && (can.p256 || !can.groups_seen);
  hello.ecdsa_p384 = ecdsa && (can.p384 || !can.groups_seen);
  hello.rsa = can.suite_rsa && can.algorithms_seen && can.rsa_any;
}

bool looks_like_http(std::span<const std::byte> head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  for (const std::string_view start :
       {"GET ", "HEAD", "POST", "PUT ", "DELE", "OPTI", "CONN", "PATC", "TRAC", "PRI "}) {
    if (text.starts_with(start)) return true;
  }
  return false;
}

}  // namespace

std::optional<ClientHello> parse_client_hello(std::span<const std::byte> message) {
  Reader outer(message);
  if (outer.number(1) != 1) return std::nullopt;
  Reader body(outer.vector(3));
  if (!outer.ok() || !outer.empty()) return std::nullopt;

  ClientHello hello;
  Abilities can;
  hello.tls12 = body.number(2) >= 0x0303;
  body.take(32);   // random
  body.vector(1);  // session id
  read_suites(Reader(body.vector(2)), can);
  body.vector(1);  // compression methods
  if (!body.ok()) return std::nullopt;
  if (!body.empty()) {
    Reader extensions(body.vector(2));
    while (!extensions.empty()) {
      const std::uint32_t type = extensions.number(2);
      read_extension(type, Reader(extensions.vector(2)), hello, can);
    }
    if (!extensions.ok() || !body.ok() || !body.empty()) return std::nullopt;
  }
  judge(can, hello);
  return hello;
}

HelloReader::Status HelloReader::refuse(FailureReason reason, const char* text, std::optional<std::uint8_t> alert) {
  reason_ = reason;
  text_ = text;
  alert_ = alert;
  release();
  return Status::refused;
}

void HelloReader::release() { std::vector<std::byte>().swap(record_); }

HelloReader::Status HelloReader::consume(std::span<const std::byte>& in) {
  RINGWALL_CHECK(reason_ == FailureReason::none);
  while (!in.empty()) {
    if (header_have_ < header_bytes) {
      header_[header_have_++] = in.front();
      in = in.subspan(1);
      const Status status = header_have_ == header_bytes ? begin_record() : check_first_byte(header_[0]);
      if (status == Status::refused) return status;
      continue;
    }
    const std::size_t size = std::min(record_left_, in.size());
    record_.insert(record_.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(size));
    in = in.subspan(size);
    record_left_ -= size;
    if (const Status status = check_message(); status != Status::need_input) return status;
    if (record_left_ == 0) header_have_ = 0;
  }
  return Status::need_input;
}

// A TLS handshake record, or perhaps the method of an HTTP request.
HelloReader::Status HelloReader::check_first_byte(std::byte first) {
  const bool continuation = !record_.empty();
  if (first == std::byte{0x16}) return Status::need_input;
  if (!continuation && first >= std::byte{'A'} && first <= std::byte{'Z'}) return Status::need_input;
  if (continuation) {
    return refuse(FailureReason::malformed, "another kind of record inside the ClientHello", alert::unexpected_message);
  }
  return refuse(FailureReason::not_tls, "the first byte is not that of a TLS handshake", std::nullopt);
}

HelloReader::Status HelloReader::begin_record() {
  if (header_[0] != std::byte{0x16}) {
    if (looks_like_http(header_)) return refuse(FailureReason::plain_http, "HTTP without TLS", std::nullopt);
    return refuse(FailureReason::not_tls, "the first bytes are not those of a TLS handshake", std::nullopt);
  }
  if (header_[1] != std::byte{3}) {
    return refuse(FailureReason::not_tls, "a record of an unknown major version", std::nullopt);
  }
  record_left_ = std::to_integer<std::size_t>(header_[3]) << 8 | std::to_integer<std::size_t>(header_[4]);
  if (record_left_ == 0) return refuse(FailureReason::malformed, "an empty handshake record", alert::decode_error);
  if (record_left_ > client_hello_bytes_max) {
    return refuse(FailureReason::malformed, "a record longer than 2^14 bytes", alert::record_overflow);
  }
  if (record_.empty()) record_.assign(header_.begin(), header_.end());
  return Status::need_input;
}

HelloReader::Status HelloReader::check_message() {
  const std::size_t have = record_.size() - header_bytes;
  if (have + record_left_ > client_hello_bytes_max) {
    return refuse(FailureReason::hello_too_large, "a ClientHello of more than 16 KiB", alert::handshake_failure);
  }
  if (have < message_header_bytes) return Status::need_input;
  Reader header(message().first(message_header_bytes));
  if (header.number(1) != 1) {
    return refuse(FailureReason::malformed, "the first message is no ClientHello", alert::unexpected_message);
  }
  const std::size_t size = message_header_bytes + header.number(3);
  if (size > client_hello_bytes_max) {
    return refuse(FailureReason::hello_too_large, "a ClientHello of more than 16 KiB", alert::handshake_failure);
  }
  if (record_left_ > 0 || have < size) return Status::need_input;
  if (have > size) {
    return refuse(FailureReason::malformed, "bytes after the ClientHello in its record", alert::unexpected_message);
  }
  record_[3] = static_cast<std::byte>(have >> 8);
  record_[4] = static_cast<std::byte>(have & 0xff);
  return Status::complete;
}

}  // namespace ringwall::tls
